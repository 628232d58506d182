import { MessageChannel, Worker } from 'node:worker_threads'
import type { Transport } from '../rpc/transport.ts'
import { createReceivingWindow } from '../rpc/window.ts'
import { endDespiteZombies } from './end-despite-zombies.ts'
import { type GuestProgram, loadGuestProgram } from './guest-program.ts'
import type { KillOutcome, LaunchedGuest, Launcher } from './launcher.ts'
import { probeWorkerIsolation } from './probe-worker.ts'
import { isolatedWorkerOptions } from './worker-options.ts'

export interface WorkerLauncherOptions {
  /** Where the compiled guest may be kept; without it each process compiles it once. */
  cacheDir?: string | undefined
}

export interface WorkerLauncher extends Launcher {
  /** Threads that could not be stopped; each holds a core until the process ends. */
  readonly zombies: number
}

/** Runs each guest in a thread of this process, with no environment, no permissions and a compartment inside. */
export function workerLauncher(options: WorkerLauncherOptions = {}): WorkerLauncher {
  let program: Promise<GuestProgram> | undefined
  let zombies = 0
  const onZombie = () => {
    if (zombies++ === 0) endDespiteZombies(process)
  }
  return {
    level: 'worker',
    get zombies() {
      return zombies
    },
    async launch() {
      program ??= loadGuestProgram('worker', options.cacheDir)
      const guest = launchWorker(await program, onZombie)
      try {
        await probeWorkerIsolation()
      } catch (error) {
        await guest.kill()
        throw error
      }
      return guest
    },
  }
}

/** Runs the supervisor from its compiled form; without one it makes it, before any plugin code is there. */
const bootstrap = `
const { workerData, parentPort } = require('node:worker_threads')
const { Script } = require('node:vm')
const { supervisor, compiled, compiledPort } = workerData
const script = new Script(supervisor, { filename: 'fogbow-guest.js', cachedData: compiled })
script.runInThisContext()(require).start()
if (!compiled || script.cachedDataRejected) compiledPort.postMessage(script.createCachedData())
compiledPort.close()
for (const name in workerData) delete workerData[name]
`

const KILL_PATIENCE_MS = 1500

function launchWorker(program: GuestProgram, onZombie: () => void): LaunchedGuest {
  const liveness = new MessageChannel()
  const compiled = new MessageChannel()
  const worker = new Worker(bootstrap, {
    ...isolatedWorkerOptions,
    workerData: {
      supervisor: program.supervisor,
      prelude: program.prelude,
      streams: program.streams,
      compiled: program.compiled,
      liveness: liveness.port2,
      compiledPort: compiled.port2,
    },
    transferList: [liveness.port2, compiled.port2],
  })
  drain(worker)
  compiled.port1.once('message', (made: Uint8Array) => program.keepCompiled(made))
  compiled.port1.unref()
  const exited = exitOf(worker)
  const waiting: (() => void)[] = []
  liveness.port1.on('message', () => {
    for (const onPong of waiting.splice(0)) onPong()
  })
  liveness.port1.unref()
  let before = worker.performance.eventLoopUtilization()
  return {
    transport: workerTransport(worker, exited, (characters) =>
      liveness.port1.postMessage(characters),
    ),
    ping(onPong) {
      waiting.push(onPong)
      liveness.port1.postMessage(0)
    },
    busyShare() {
      const now = worker.performance.eventLoopUtilization()
      const { utilization } = worker.performance.eventLoopUtilization(now, before)
      before = now
      return utilization
    },
    async usage() {
      try {
        const [heap, cpu] = await Promise.all([worker.getHeapStatistics(), worker.cpuUsage()])
        return {
          cpuMs: Math.round((cpu.user + cpu.system) / 1000),
          heapBytes: heap.used_heap_size + heap.external_memory,
        }
      } catch {
        return undefined
      }
    },
    async kill() {
      const outcome = await Promise.race([
        worker.terminate().then((): KillOutcome => 'dead'),
        patience(),
      ])
      liveness.port1.close()
      compiled.port1.close()
      if (outcome === 'zombie') {
        worker.unref()
        onZombie()
      }
      return outcome
    },
    exited,
  }
}

function patience(): Promise<KillOutcome> {
  return new Promise((resolve) => {
    setTimeout(resolve, KILL_PATIENCE_MS, 'zombie').unref()
  })
}

/** What a thread prints is not for the site's output; unread it would pile up in memory. */
function drain(worker: Worker): void {
  worker.stdout.resume()
  worker.stderr.resume()
}

function exitOf(worker: Worker): Promise<string> {
  return new Promise((resolve) => {
    let reason = ''
    worker.on('error', (error: NodeJS.ErrnoException) => {
      reason =
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? 'its heap was full'
          : String(error?.message ?? error)
    })
    worker.on('exit', (code) => resolve(reason || `its thread ended with code ${code}`))
  })
}

/** @param confirm - tells the thread how many characters were dealt with */
function workerTransport(
  worker: Worker,
  exited: Promise<string>,
  confirm: (characters: number) => void,
): Transport {
  const received = createReceivingWindow(confirm)
  let onClose: ((reason: string, broken?: boolean) => void) | undefined
  // The thread ends by `kill`; until then nobody listens any more.
  const close = () => worker.removeAllListeners('message')
  const tell = (reason: string, broken: boolean) => {
    onClose?.(reason, broken)
    onClose = undefined
  }
  return {
    send: (text) => worker.postMessage(text),
    onMessage: (listener) =>
      worker.on('message', (message: unknown) => {
        if (received(typeof message === 'string' ? message.length : 0)) return listener(message)
        close()
        tell('it sends more than it was told that there is time for', true)
      }),
    onClose(listener) {
      onClose = listener
      void exited.then((reason) => tell(reason, false))
    },
    close,
  }
}
