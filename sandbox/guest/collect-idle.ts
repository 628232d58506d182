import type { Transport } from '../rpc/transport.ts'

const QUIET_MS = 1000

/**
 * Starting and loading leave garbage that the engine would keep for as long as nothing is asked of the guest: a third of all
 * that an idle one holds. It is collected when nothing has arrived for a while after either; from then on the engine is left alone.
 */
export function collectWhenIdle(transport: Transport): Transport {
  let left = 2
  const timer = setTimeout(() => {
    left--
    collect()
  }, QUIET_MS)
  return {
    ...transport,
    onMessage: (listener) =>
      transport.onMessage((message) => {
        if (left > 0) timer.refresh()
        listener(message)
      }),
  }
}

/** The engine hands its collector to new contexts only, and only while told so. Loaded here, not on the way of a start. */
function collect(): void {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  const { runInNewContext } = process.getBuiltinModule('node:vm')
  setFlagsFromString('--expose-gc')
  const run = runInNewContext('gc') as (options: object) => void
  setFlagsFromString('--no-expose-gc')
  run({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
