import { createBench } from '../../federation/membership/testing/bench.ts'
import { createMemoryFile } from '../../federation/membership/testing/memory-file.ts'
import { makeSiteKeys } from '../../federation/testing/keys.ts'
import { writePublicKey } from '../../federation/trust/index.ts'
import { type Rendezvous, startRendezvous } from '../rendezvous.ts'
import { defaultRendezvousSettings, type RendezvousSettings } from '../settings.ts'
import { createWhiteList, type WrittenWhiteList } from '../white-list.ts'

type Options = Partial<RendezvousSettings> & {
  whiteList?: WrittenWhiteList
  read?: (path: string) => Promise<string>
}

/** Sites and rendezvous in one process and in a time of their own. */
export function createRendezvousBench() {
  const bench = createBench()

  async function addRendezvous(jid: string, options: Options = {}) {
    const { whiteList = { anybody: true }, read, ...settings } = options
    const component = bench.attach(jid)
    const keys = makeSiteKeys()
    const state = createMemoryFile()
    const start = () =>
      startRendezvous({
        component,
        settings: { ...defaultRendezvousSettings, ...settings },
        whiteList: createWhiteList({ written: whiteList, log: bench.log, ...(read && { read }) }),
        keys,
        state,
        stateName: 'rendezvous.json',
        clock: bench.time,
        log: bench.log,
      })
    let rendezvous: Rendezvous = await start()
    return {
      jid,
      keys,
      state,
      component,
      /** As its members write it. */
      get peer() {
        return { jid, keys: [writePublicKey(keys.signing)] }
      },
      get rendezvous() {
        return rendezvous
      },
      async start() {
        rendezvous = await start()
      },
      async restart(downForMs = 0) {
        await rendezvous.stop()
        await bench.pass(downForMs)
        rendezvous = await start()
      },
    }
  }

  /** Lets time pass until something that is under way has ended. */
  async function settled<Result>(work: Promise<Result>): Promise<Result> {
    let isOver = false
    const end = () => {
      isOver = true
    }
    work.then(end, end)
    while (!isOver) await bench.pass(10)
    return work
  }

  return { ...bench, addRendezvous, settled }
}
