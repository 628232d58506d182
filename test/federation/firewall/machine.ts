import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dyingWithParent } from '../servers/server-process.ts'

/**
 * A machine as far as the network goes: a network namespace with interfaces, routes and a firewall of its own. It has no
 * name and no file anywhere: the kernel takes it away, with its cables, when the last process in it ends, and that which
 * holds it ends with the tests, however these end.
 */
export interface Machine {
  readonly title: string
  /** Of the process that holds it. */
  readonly pid: number
  /** What has to stand before a command for it to run there. */
  readonly through: readonly string[]
  /** @returns standard output @throws when it fails */
  run(command: readonly string[], input?: string): string
  /** Whether a process there listens on a TCP port. */
  isListening(port: number): boolean
  /** Processes there, besides the one that holds it. */
  processes(): number[]
  remove(): Promise<void>
}

export interface MachineOptions {
  readonly title: string
  /** Whether it passes on what is not for itself. */
  readonly isRouter?: boolean
  /** File that stands there for /etc/resolv.conf; commands start in / there. */
  readonly resolvConf?: string
}

/** Why there can be no such machine here; undefined when there can. */
export function whyNoMachines(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  try {
    execFileSync('unshare', ['--net', '--mount', 'nft', 'list', 'tables'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `this machine gives no network namespace with nftables: ${(error as Error).message}`
  }
}

export async function openMachine(options: MachineOptions): Promise<Machine> {
  const { title, isRouter = false, resolvConf } = options
  const set = (name: string, value: number) => `echo ${value} > /proc/sys/net/${name}`
  const script = [
    'set -e',
    ...(resolvConf ? [`mount --bind '${resolvConf}' /etc/resolv.conf`] : []),
    set('ipv4/ip_forward', isRouter ? 1 : 0),
    // An address that the kernel makes can be used at once.
    set('ipv6/conf/default/accept_dad', 0),
    'ip link set lo up',
    'echo ready',
    'exec cat',
  ].join('\n')
  const own = ['--net', ...(resolvConf ? ['--mount'] : [])]
  const [command = '', ...args] = [...dyingWithParent(), 'unshare', ...own, 'sh', '-c', script]
  const holder = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const said = await Promise.race([once(holder.stdout, 'data'), once(holder.stderr, 'data')])
  const { pid } = holder
  if (pid === undefined || !String(said[0]).startsWith('ready'))
    throw new Error(`no network namespace for ${title}: ${said[0]}`)
  // With mounts of its own a machine knows no folder but by its name there.
  const place = resolvConf ? ['--wdns=/'] : []
  const through = ['nsenter', `--target=${pid}`, ...own, ...place, '--']
  const namespace = namespaceOf(pid)

  return {
    title,
    pid,
    through,
    run(command, input) {
      const [program = '', ...args] = [...through, ...command]
      return execFileSync(program, args, {
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'pipe'],
        ...(input !== undefined && { input }),
      })
    },
    isListening: (port) =>
      ['tcp', 'tcp6'].some((table) =>
        listens(readFileSync(`/proc/${pid}/net/${table}`, 'utf8'), port),
      ),
    processes: () => processIds().filter((id) => id !== pid && namespaceOf(id) === namespace),
    async remove() {
      if (holder.exitCode !== null || holder.signalCode !== null) return
      const ended = once(holder, 'exit')
      holder.kill('SIGKILL')
      await ended
    },
  }
}

/** @param table - of the kernel, see proc(5), /proc/net/tcp */
function listens(table: string, port: number): boolean {
  const LISTEN = '0A'
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .some(([, local = '', , state]) => state === LISTEN && local.endsWith(`:${wanted}`))
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    // It has ended.
    return undefined
  }
}

function processIds(): number[] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc').map(Number).filter(Number.isInteger)
}
