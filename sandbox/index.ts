export { type SandboxClock, systemClock } from './host/clock.ts'
export { defaultLimits } from './host/default-limits.ts'
export type { GuestUsage, KillOutcome, LaunchedGuest, Launcher } from './host/launcher.ts'
export { probeWorkerIsolation } from './host/probe-worker.ts'
export { type SandboxOptions, startSandbox } from './host/start-sandbox.ts'
export {
  defaultRestartPolicy,
  type RestartPolicy,
  type SuperviseOptions,
  supervise,
} from './host/supervise.ts'
export { defaultWatchSettings, type WatchSettings } from './host/watch.ts'
export {
  type WorkerLauncher,
  type WorkerLauncherOptions,
  workerLauncher,
} from './host/worker-launcher.ts'
export type { Transport } from './rpc/transport.ts'
export * from './sandbox.ts'
