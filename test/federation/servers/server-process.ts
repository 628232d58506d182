import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** An XMPP server of Debian, in the foreground and without systemd. */
export interface XmppServer {
  readonly domain: string
  readonly address: string
  /** Port of a component. */
  portOf(jid: string): number
  readonly pid: number
  /** Ends it as an administrator does. */
  stop(): Promise<void>
  /** kill -9 */
  kill(): Promise<void>
  /** It keeps its connections and says nothing any more. */
  freeze(): void
  thaw(): void
  /** Starts it again after it ended; its folder is the same. */
  start(): Promise<void>
  log(): string
  /** Ends it, and removes its folder. */
  remove(): Promise<void>
}

export interface ServerProgram {
  readonly domain: string
  readonly address: string
  /** Account of the package. */
  readonly user: string
  readonly folder: string
  readonly command: readonly string[]
  /** What goes before the command, and becomes it: the way into another network. */
  readonly through?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly logFile: string
  readonly ports: readonly number[]
  portOf(jid: string): number
  /** Whether it listens, when its ports cannot be reached from here. */
  isListening?(port: number): boolean
  /** The process that is the server, if the command only starts it. */
  readPid?(): number
}

const POLL_MS = 20
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 20_000

/** A folder for a server, with whatever `fill` puts into it owned by the server's account. */
export function createServerFolder(user: string, fill: (folder: string) => void): string {
  const folder = mkdtempSync(join(tmpdir(), `fogbow-${user}-`))
  fill(folder)
  const account = isRoot() ? accountOf(user) : undefined
  if (account)
    for (const entry of ['', ...(readdirSync(folder, { recursive: true }) as string[])])
      chownSync(join(folder, entry), account.uid, account.gid)
  return folder
}

export async function startServer(program: ServerProgram): Promise<XmppServer> {
  const { domain, address } = program
  let child: ChildProcess | undefined
  let output = ''

  async function start(): Promise<void> {
    const [command = '', ...args] = [
      ...(program.through ?? []),
      ...dyingWithParent(program.user),
      ...program.command,
    ]
    const env = { ...process.env, HOME: program.folder, ...program.env }
    const started = spawn(command, args, { cwd: program.folder, env })
    child = started
    for (const stream of [started.stdout, started.stderr])
      stream.on('data', (text) => {
        output = (output + text).slice(-20_000)
      })
    const giveUpAt = performance.now() + START_TIMEOUT_MS
    for (const port of program.ports)
      while (!(await serves(port))) {
        if (started.exitCode !== null || performance.now() > giveUpAt)
          throw new Error(
            `${program.command[0]} for ${domain} does not serve port ${port}:\n${log()}`,
          )
        await pause(POLL_MS)
      }
  }

  async function serves(port: number): Promise<boolean> {
    return program.isListening?.(port) ?? accepts(address, port)
  }

  function log(): string {
    try {
      return `${output}\n${readFileSync(program.logFile, 'utf8')}`
    } catch {
      return output
    }
  }

  function pid(): number {
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the server of ${domain} is not running`)
    return program.readPid?.() ?? child.pid
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = child
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    const ended = once(ending, 'exit')
    process.kill(pid(), signal)
    const patience = setTimeout(() => process.kill(pid(), 'SIGKILL'), STOP_TIMEOUT_MS)
    await ended
    clearTimeout(patience)
  }

  await start()
  return {
    domain,
    address,
    portOf: program.portOf,
    get pid() {
      return pid()
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze: () => process.kill(pid(), 'SIGSTOP'),
    thaw: () => process.kill(pid(), 'SIGCONT'),
    start,
    log,
    async remove() {
      await end('SIGKILL')
      rmSync(program.folder, { recursive: true, force: true })
    },
  }
}

/** Runs as the account of the package, and ends with the tests however these end (setpriv is part of util-linux). */
export function dyingWithParent(user?: string): string[] {
  const account = isRoot() && user ? accountOf(user) : undefined
  const identity = account
    ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups']
    : []
  return ['setpriv', ...identity, '--pdeathsig', 'KILL', '--']
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

function accountOf(user: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

async function accepts(host: string, port: number): Promise<boolean> {
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
