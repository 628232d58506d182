import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { LaunchLimits } from './launcher.ts'

/** What Linux offers to wall off a process, and Node's own permissions cannot. Everything else is in other files. */
export const walls = ['limits', 'parent', 'account', 'namespaces', 'root'] as const
/**
 * `limits`: of memory, files, processes; `parent`: ends with its host; `account`: one without rights;
 * `namespaces`: user, network, processes, IPC, host name, mounts; `root`: a file system with Node alone.
 */
export type Wall = (typeof walls)[number]

/** Where the programs of util-linux are; undefined when they are not installed. */
export interface Commands {
  prlimit?: string | undefined
  setpriv?: string | undefined
  unshare?: string | undefined
  mount?: string | undefined
  mkdir?: string | undefined
  sh?: string | undefined
}

export const commandNames = ['prlimit', 'setpriv', 'unshare', 'mount', 'mkdir', 'sh'] as const

/** By fixed folders: what the environment says of paths is not for this. */
export function findCommands(): Commands {
  const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']
  const find = (name: string) =>
    folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
  return Object.fromEntries(commandNames.map((name) => [name, find(name)]))
}

/** Programs that a wall is made with. */
export const commandsOf: Record<Wall, readonly (typeof commandNames)[number][]> = {
  limits: ['prlimit'],
  parent: ['setpriv'],
  account: ['setpriv'],
  namespaces: ['unshare'],
  root: ['unshare', 'sh', 'mount', 'mkdir'],
}

/** Account and group of nobody, on every Linux. */
const NOBODY = 65_534
const MIB = 1_048_576
/** Address space that an idle guest has as writable data without using it, MiB: mostly room for compiled code. */
const DATA_OF_IDLE_MIB = 768
const MOST_FILES = 64
const MOST_TASKS = 48

/**
 * The command line that runs Node with `args` behind the walls.
 * Namespaces are two: in the outer one, as its root, the file system is built; the guest runs in an inner one as nobody,
 * without a capability in either.
 */
export function confine(
  present: ReadonlySet<Wall>,
  commands: Commands,
  args: readonly string[],
  limits: LaunchLimits,
): string[] {
  const { prlimit = '', setpriv = '', unshare = '' } = commands
  const limited = present.has('limits') ? [prlimit, ...prlimitOptions(limits), '--'] : []
  const line: string[] = []
  if (present.has('parent') || present.has('account')) {
    line.push(setpriv, '--no-new-privs', '--pdeathsig', 'KILL')
    if (present.has('account')) {
      line.push(`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups')
    }
    line.push('--')
  }
  const guest = [...limited, process.execPath, ...args]
  if (!present.has('namespaces')) return [...line, ...guest]
  line.push(unshare, ...namespaceOptions)
  if (!present.has('root')) return [...line, ...asNobody, '--', ...guest]
  // Within namespaces of its own tasks are counted by themselves, not together with those of all other plugins.
  if (limited.length > 0) limited.splice(1, 0, `--nproc=${MOST_TASKS}`)
  const script = rootScript(commands, limited)
  return [...line, '--map-root-user', '--', commands.sh ?? '', '-c', script, 'sh', ...args]
}

function prlimitOptions({ memoryMiB }: LaunchLimits): string[] {
  return [
    `--data=${(DATA_OF_IDLE_MIB + memoryMiB) * MIB}`,
    '--core=0',
    '--fsize=0',
    `--nofile=${MOST_FILES}`,
  ]
}

const namespaceOptions = [
  '--user',
  '--mount',
  '--net',
  '--pid',
  '--ipc',
  '--uts',
  '--cgroup',
  '--fork',
  '--kill-child',
]

const asNobody = [`--map-user=${NOBODY}`, `--map-group=${NOBODY}`]

/** A file system in memory with Node and its libraries, read-only; then the guest in it, in a namespace that allows no other. */
function rootScript(commands: Commands, limited: readonly string[]): string {
  const files = [{ from: process.execPath, to: '/bin/node' }, ...sharedLibraries()]
  const folders = new Set(files.map(({ to }) => dirname(to)))
  const root = mountPoint(files.map(({ from }) => from))
  const table = files.map(
    ({ from, to }) =>
      `${escapeField(from)} ${escapeField(root + to)} none bind,ro,nosuid,nodev 0 0`,
  )
  const { mount = '', mkdir = '', unshare = '' } = commands
  const inRoot = [unshare, '--user', ...asNobody, `--root=${root}`, '--wd=/', '--', '/bin/node']
  return `set -e
${quote(mount)} -t tmpfs -o size=1m,mode=0755,nosuid,nodev none ${quote(root)}
cd ${quote(root)}
${quote(mkdir)} -p ${[...folders].map((folder) => quote(`.${folder}`)).join(' ')}
${files.map(({ to }) => `: > ${quote(`.${to}`)}`).join('\n')}
echo ${quote(table.join('\n'))} > mounts
${quote(mount)} -a -T mounts
: > mounts
${quote(mount)} -o remount,bind,ro,nosuid,nodev ${quote(root)}
unset PWD OLDPWD SHLVL _
echo 1 > /proc/sys/user/max_user_namespaces || :
exec ${[...limited, ...inRoot].map(quote).join(' ')} "$@"
`
}

let libraries: { from: string; to: string }[] | undefined

/**
 * Libraries that this Node has loaded, by the paths under which its children look for them. Asked for once, before any plugin
 * runs: a report waits for every thread of the process, and one that cannot be stopped would hold up the whole site.
 */
function sharedLibraries(): { from: string; to: string }[] {
  libraries ??= readSharedLibraries()
  return libraries
}

function readSharedLibraries(): { from: string; to: string }[] {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean }
  const { excludeNetwork } = report
  report.excludeNetwork = true
  const { sharedObjects } = report.getReport() as unknown as { sharedObjects: string[] }
  report.excludeNetwork = excludeNetwork
  return sharedObjects
    .filter((path) => path.startsWith('/') && !path.endsWith('.node'))
    .map((path) => ({ from: path, to: path }))
}

/** A folder that every Linux has and that is not needed while the mounts are made. */
function mountPoint(needed: readonly string[]): string {
  const free = ['/mnt', '/srv', '/media', '/opt'].find(
    (folder) => existsSync(folder) && !needed.some((path) => path.startsWith(`${folder}/`)),
  )
  return free ?? '/sys'
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** As fstab(5) wants it. */
function escapeField(path: string): string {
  return path.replace(
    /[\s\\]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  )
}
