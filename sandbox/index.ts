export { type SandboxClock, systemClock } from './host/clock.ts'
export { type Commands, findCommands } from './host/confinement.ts'
export { defaultLimits } from './host/default-limits.ts'
export type {
  GuestUsage,
  KillOutcome,
  LaunchedGuest,
  Launcher,
  LaunchLimits,
} from './host/launcher.ts'
export { probeWorkerIsolation } from './host/probe-worker.ts'
export {
  type DetectOptions,
  detectIsolation,
  type ProcessIsolation,
} from './host/process-isolation.ts'
export {
  type ProcessLauncher,
  type ProcessLauncherOptions,
  processLauncher,
} from './host/process-launcher.ts'
export { type SpareOptions, withSpares } from './host/spare-launcher.ts'
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
