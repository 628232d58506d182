import type { WorkerOptions } from 'node:worker_threads'

/**
 * Options of every thread that is to run plugin code. No environment, Node's permission model with nothing granted
 * (files, processes, threads, addons, sockets), no output of its own. The heap limit is far above what is allowed: a
 * thread that runs into it can take the process down, so the watch has to be there first.
 */
export const isolatedWorkerOptions: WorkerOptions = {
  eval: true,
  env: {},
  // A thread that names no program of its own may read all below the working directory (Node 26.10).
  execArgv: ['--permission', '-e', '0'],
  stdin: false,
  stdout: true,
  stderr: true,
  trackUnmanagedFds: true,
  resourceLimits: { maxOldGenerationSizeMb: 4096, maxYoungGenerationSizeMb: 64, stackSizeMb: 4 },
}
