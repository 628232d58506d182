import type { SandboxLimits } from '../sandbox.ts'

/** What a plugin may use unless the site's configuration says otherwise. */
export const defaultLimits: SandboxLimits = {
  loadTimeoutMs: 10_000,
  memoryMiB: 256,
  callsInFlight: 64,
  callsWaiting: 1024,
  hostCallsInFlight: 256,
  messageLength: 4 * 1_048_576,
}
