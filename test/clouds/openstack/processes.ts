import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { dyingWithParent } from '../../federation/servers/server-process.ts'

/** The processes of one cloud; each ends with the tests, however these end. */
export interface Processes {
  start(name: string, command: readonly string[], env?: Readonly<Record<string, string>>): void
  /** @throws the end of its log, when it does not get there in time, or that of any that ends meanwhile */
  until(name: string, isReady: () => Promise<boolean>): Promise<void>
  /** Ends one as an administrator does. */
  stop(name: string): Promise<void>
  /** Ends all at once: nothing that they hold is needed any more. */
  killAll(): Promise<void>
}

const POLL_MS = 100
const START_TIMEOUT_MS = 240_000
const STOP_TIMEOUT_MS = 20_000
const LOG_SHOWN = 4000

export function createProcesses(
  logFolder: string,
  baseEnv: Readonly<Record<string, string>>,
): Processes {
  const started = new Map<string, ChildProcess>()
  const logOf = (name: string) => join(logFolder, `${name}.log`)

  return {
    start(name, command, env = {}) {
      const [program = '', ...args] = [...dyingWithParent(), ...command]
      const log = openSync(logOf(name), 'a')
      const stdio = ['ignore', log, log] as const
      const options = { env: { ...baseEnv, ...env }, stdio: [...stdio], detached: true }
      started.set(name, spawn(program, args, options))
      closeSync(log)
    },

    async until(name, isReady) {
      const giveUpAt = performance.now() + START_TIMEOUT_MS
      while (!(await isReady())) {
        // What is waited for may wait for another one.
        const [ended] = [...started].find(([, child]) => hasEnded(child)) ?? []
        const culprit = ended ?? (performance.now() > giveUpAt ? name : undefined)
        if (culprit !== undefined)
          throw new Error(`${culprit} does not start:\n${endOf(logOf(culprit))}`)
        await pause(POLL_MS)
      }
    },

    async stop(name) {
      const child = started.get(name)
      started.delete(name)
      if (child) await end(child, 'SIGTERM')
    },

    async killAll() {
      const children = [...started.values()]
      started.clear()
      await Promise.all(children.map((child) => end(child, 'SIGKILL')))
    },
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  signal === 'SIGKILL' ? killGroup(child) : child.kill(signal)
  const patience = setTimeout(() => killGroup(child), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(patience)
}

/** A service and the workers that it forked. */
function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL')
}

function hasEnded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}

function endOf(file: string): string {
  return readFileSync(file, 'utf8').slice(-LOG_SHOWN)
}

export async function accepts(host: string, port: number): Promise<boolean> {
  const socket = createConnection({ host, port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
