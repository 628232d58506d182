import { createFakeNetwork, type FakeComponent } from '../../testing/fake-network.ts'
import { makeSiteKeys } from '../../testing/keys.ts'
import { createVirtualTime } from '../../testing/virtual-time.ts'
import type { SiteKeys } from '../../trust/index.ts'
import type { Log } from '../../xmpp/index.ts'
import { createMembership, type Membership } from '../membership.ts'
import type { MembershipSettings } from '../settings.ts'
import { createMemoryFile, type MemoryFile } from './memory-file.ts'

/** A site as far as membership goes. */
export interface MemberSite {
  readonly id: string
  readonly component: FakeComponent
  readonly keys: SiteKeys
  readonly membership: Membership
  readonly memory: MemoryFile
  settings: MembershipSettings
  /** Its process ends, and another begins. */
  restart(): Promise<void>
}

/** Components of one process that reach each other, in a time of their own. */
export function createBench() {
  const time = createVirtualTime()
  const network = createFakeNetwork(time)
  const logged: string[] = []
  const note = (fields: object, message: string) =>
    void logged.push(`${message} ${JSON.stringify(fields)}`)
  const log: Log = { info: note, warn: note, error: note }
  const attach = (jid: string) => network.attach(jid, { isOver: false, step() {} })

  async function addSite(id: string, settings: Partial<MembershipSettings>): Promise<MemberSite> {
    const component = attach(`ras-${id}`)
    const keys = makeSiteKeys()
    const memory = createMemoryFile()
    const site: MemberSite = {
      id,
      component,
      keys,
      memory,
      membership: undefined as never,
      settings: { list: [], rendezvous: [], ...settings },
      async restart() {
        await site.membership.stop()
        await begin()
      },
    }
    async function begin(): Promise<void> {
      const membership = createMembership({
        component,
        siteId: id,
        settings: () => site.settings,
        keys,
        clock: time,
        log,
        memory,
      })
      Object.assign(site, { membership })
      await membership.start()
    }
    await begin()
    return site
  }

  return { time, network, logged, log, attach, addSite, pass: (ms: number) => time.pass(ms) }
}

export type Bench = ReturnType<typeof createBench>
