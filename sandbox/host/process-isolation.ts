import {
  type Commands,
  commandsOf,
  confine,
  findCommands,
  type Wall,
  walls,
} from './confinement.ts'
import type { LaunchLimits } from './launcher.ts'
import { nodeArguments } from './node-arguments.ts'
import { type ProcessReach, probeProcess } from './probe-process.ts'

/** How a process of its own can be walled off on this machine. */
export interface ProcessIsolation {
  level: 'process+ns' | 'process'
  /** What is not there of all that could be, and how an administrator gets it. */
  missing: string[]
  /** Set when not even the weaker level holds: no plugin may run in a process here. */
  refusal?: string
  /** The guest is a child of the process that the command line starts. */
  hasStarter: boolean
  /** Command line that runs Node with these arguments behind the walls. */
  commandLine(nodeArguments: readonly string[], limits: LaunchLimits): string[]
}

export interface DetectOptions {
  /** Programs to make walls with; found by themselves when absent. */
  commands?: Commands
}

let detected: Promise<ProcessIsolation> | undefined

/**
 * Tries out, once per process, which walls this machine has. What counts is what a process behind them could not reach, not
 * what the machine says of itself.
 */
export function detectIsolation(options?: DetectOptions): Promise<ProcessIsolation> {
  if (options) return detect(options.commands ?? findCommands())
  detected ??= detect(findCommands())
  return detected
}

const PROBE_LIMITS: LaunchLimits = { memoryMiB: 128 }

async function detect(commands: Commands): Promise<ProcessIsolation> {
  const missing: string[] = []
  const present = await findWalls(commands, missing)
  const commandLine = (args: readonly string[], limits: LaunchLimits) =>
    confine(present, commands, args, limits)
  const { reached, failure } = await probeProcess((args) =>
    commandLine([...nodeArguments, ...args], PROBE_LIMITS),
  )
  const promised = new Set([...deniedByNode, ...[...present].flatMap((wall) => deniedBy[wall])])
  const holes = reached.filter((what) => promised.has(what))
  const namespaces = present.has('namespaces')
  const isolation: ProcessIsolation = {
    level: namespaces ? 'process+ns' : 'process',
    missing,
    hasStarter: namespaces,
    commandLine,
  }
  if (failure !== undefined) isolation.refusal = `Processes for plugins do not start: ${failure}`
  else if (holes.length > 0) {
    isolation.refusal = `Processes for plugins can reach ${holes.join(', ')} in spite of --permission on Node ${process.version}; plugins cannot be isolated in processes here`
  }
  return isolation
}

/** What Node's permissions deny by themselves. */
const deniedByNode: readonly ProcessReach[] = [
  'files',
  "the site's environment",
  'child processes',
  'threads',
  'addons',
  'sockets',
  'local sockets',
]

/** What a wall denies by itself, permissions or not. */
const deniedBy: Record<Wall, readonly ProcessReach[]> = {
  limits: ['memory without limit'],
  parent: [],
  account: ['signals to the site'],
  namespaces: ['signals to the site', 'sockets'],
  root: ['files', 'local sockets', "the site's environment"],
}

/** All at once where all of them hold, as they mostly do; otherwise one after the other. */
async function findWalls(commands: Commands, missing: string[]): Promise<Set<Wall>> {
  const wanted = process.platform === 'linux' ? walls.filter(isOfUse) : []
  if (process.platform !== 'linux')
    missing.push('walls of the operating system: only Linux has them')
  const all = new Set(wanted)
  if (wanted.length > 0 && (await problemOf(all, commands)) === undefined) return all
  const present = new Set<Wall>()
  for (const wall of wanted) {
    const problem = await problemOf(new Set([...present, wall]), commands, wall)
    if (problem === undefined) present.add(wall)
    else missing.push(`${wallWords[wall]} (${problem})`)
  }
  return present
}

/** Without the rights of root nobody can change accounts, and an account of the site's own has none to lose. */
function isOfUse(wall: Wall): boolean {
  return wall !== 'account' || process.getuid?.() === 0
}

/** Why a process does not come up behind these walls, or what it reaches past them without Node's permissions. */
async function problemOf(
  tried: ReadonlySet<Wall>,
  commands: Commands,
  added?: Wall,
): Promise<string | undefined> {
  if (tried.has('root') && !tried.has('namespaces')) return 'it needs namespaces'
  const needed = [...tried].flatMap((wall) => commandsOf[wall])
  const lacking = [...new Set(needed.filter((name) => !commands[name]))]
  if (lacking.length > 0) return `${lacking.join(', ')} not found: install util-linux`
  const { reached, failure } = await probeProcess((args) =>
    confine(tried, commands, args, PROBE_LIMITS),
  )
  if (failure !== undefined)
    return `${failure.split('\n', 1)[0]}${added ? (remedies[added] ?? '') : ''}`
  const denied = new Set([...tried].flatMap((wall) => deniedBy[wall]))
  const holes = reached.filter((what) => denied.has(what))
  return holes.length > 0 ? `a process behind it reached ${holes.join(', ')}` : undefined
}

const wallWords: Record<Wall, string> = {
  limits: 'limits of memory and files by the operating system',
  parent: 'an end together with the site whatever the plugin is doing',
  account: 'an account without rights',
  namespaces: 'namespaces of its own for network, processes, mounts, IPC and host name',
  root: 'a file system without any file of this machine',
}

const remedies: Partial<Record<Wall, string>> = {
  account: `; the account nobody must be able to run ${process.execPath}`,
  namespaces:
    '; allow user namespaces: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns, and the profile of the container if there is one',
}
