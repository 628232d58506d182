import { setTimeout as sleep } from 'node:timers/promises'
import type { PluginDefinition } from '../plugin.ts'
import { startInProcess } from './caller.ts'
import { type ConformanceCase, conformance } from './conformance.ts'
import { connectDirectly } from './direct-connect.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import { createFakeHost } from './fake-host.ts'
import type { Samples } from './samples.ts'

/** What `fogbow.conformance.json` says: how the plugin is set up for the test, and values that only its author knows. */
export interface ConformanceSettings {
  config?: Record<string, unknown>
  secrets?: Record<string, string>
  /** Whether it reaches out; time is real then. */
  network?: boolean
  samples?: Samples
}

/**
 * The cases for a plugin in this process, restarts included. Without network, time passes only in sleeps, which take
 * none: a plugin with long delays is tested at once.
 * @param kinds - those that it offers when absent
 */
export async function conformanceInProcess<Config>(
  definition: PluginDefinition<Config>,
  { config = {}, secrets = {}, network = false, samples }: ConformanceSettings,
  kinds?: readonly string[],
): Promise<ConformanceCase[]> {
  const clock = network ? realClock : createFakeClock(Date.now(), true)
  const reach = network ? { fetch, connect: connectDirectly } : {}
  let host = createFakeHost({ config, secrets: { ...secrets }, clock, ...reach })
  const start = () => startInProcess(definition as PluginDefinition<Record<string, unknown>>, host)
  return conformance(await start(), {
    ...(kinds && { kinds }),
    ...(samples && { samples }),
    ...(!network && { advance: (ms) => clock.advance(ms) }),
    restart() {
      host.stop()
      host = host.restarted()
      return start()
    },
  })
}

const realClock: FakeClock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}),
  advance: (ms) => sleep(ms),
}
