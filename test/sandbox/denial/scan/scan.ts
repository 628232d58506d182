import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Catalogue,
  callsOfOne,
  type Finding,
  type Range,
  type ScanMessage,
  type ScanOrder,
} from './scan-order.ts'

export interface Scan {
  readonly catalogue: Catalogue
  /** @returns how many calls of the range were left out; those that end a guest again and again are */
  run(range: Range, found: (finding: Finding) => void): Promise<number>
  close(): void
}

export async function openScan(level: string): Promise<Scan> {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-scan-'))
  const common = { level, cacheDir: join(folder, 'cache') }
  let hosts = 0
  const placeFile = () => join(folder, `place-${hosts++}`)
  const none = { from: 0, to: 0, step: 1 }
  const { catalogue } = await runHost({ ...common, ...none, placeFile: placeFile(), lingerMs: 0 })
  if (!catalogue) throw new Error('the guest of the scan does not tell what there is')

  const order = (range: Range, lingerMs = 0): ScanOrder => {
    return { ...common, ...range, catalogue, placeFile: placeFile(), lingerMs }
  }

  /** What was found in passing counts when it comes again alone. */
  async function confirmed(finding: Finding): Promise<Finding> {
    const { number } = finding
    const { findings } = await runHost(order({ from: number, to: number + 1, step: 1 }, 400))
    return findings[0] ?? { ...finding, outcome: 'killed', why: `${finding.why} (not alone)` }
  }

  return {
    catalogue,
    async run({ from, to, step }, found) {
      let next = from
      let skipped = 0
      const lost = createLosses(callsOfOne(catalogue))
      while (next < to) {
        const outcome = await runHost(order({ from: next, to, step }), found)
        for (const finding of outcome.findings) found(await confirmed(finding))
        skipped += outcome.skipped
        next = outcome.next
        const left = lost.leftAfter(outcome, { from, to, step })
        skipped += left
        next += left * step
      }
      return skipped
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** So many hosts may be lost to one function; what it does to them is known then. */
const MOST_LOSSES = 3

function createLosses(perFunction: number) {
  let at = -1
  let losses = 0
  return {
    /** @returns how many calls of the function to leave out */
    leftAfter({ findings, next }: HostOutcome, { to, step }: Range): number {
      const last = findings.at(-1)
      if (!last || last.outcome === 'late') return 0
      const index = Math.floor(last.number / perFunction)
      losses = index === at ? losses + 1 : 1
      at = index
      if (losses < MOST_LOSSES) return 0
      const end = Math.min((at + 1) * perFunction, to)
      return Math.max(Math.ceil((end - next) / step), 0)
    },
  }
}

interface HostOutcome {
  catalogue?: Catalogue
  /** Of calls that ended their guest those that are to be tried again alone. */
  findings: Finding[]
  next: number
  skipped: number
}

const MOST_DATA_BYTES = 16 * 2 ** 30
const MOST_RESIDENT_BYTES = 4 * 2 ** 30
/** Longest time without any step. */
const PATIENCE_MS = 40_000
const GUARD_EVERY_MS = 100

/** One host, until it is through or its end. */
async function runHost(
  order: ScanOrder,
  onKilled?: (finding: Finding) => void,
): Promise<HostOutcome> {
  const host = spawn(
    'prlimit',
    [
      `--data=${MOST_DATA_BYTES}`,
      '--core=0',
      process.execPath,
      '--no-memory-pool-share-memory-on-teardown',
      join(import.meta.dirname, 'scan-host.ts'),
    ],
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true },
  )
  const outcome: HostOutcome = { findings: [], next: order.from, skipped: 0 }
  let through = false
  let printed = ''
  let verdict = ''
  const note = (text: Buffer) => {
    printed = (printed + text).slice(-1000)
  }
  host.stdout?.on('data', note)
  host.stderr?.on('data', note)
  const end = (why: string) => {
    verdict ||= why
    if (host.pid && host.exitCode === null) process.kill(-host.pid, 'SIGKILL')
  }
  host.on('message', (message: ScanMessage) => {
    if (message.type === 'catalogue') outcome.catalogue = message.catalogue
    if (message.type === 'finding') {
      if (onKilled && message.finding.outcome === 'killed') onKilled(message.finding)
      else outcome.findings.push(message.finding)
    }
    if (message.type !== 'end') return
    outcome.next = message.next
    outcome.skipped = message.skipped
    through = true
    end('')
  })
  const guard = setInterval(watchOver(order, host.pid, end), GUARD_EVERY_MS)
  host.send(order)
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    host.on('close', (...how) => resolve(how))
  })
  clearInterval(guard)
  if (through) return outcome
  const number = Number(placeOf(order)) || order.from
  const why = `${verdict || signal || `code ${code}`} ${printed}`
  outcome.findings.push({ number, outcome: 'host died', why })
  outcome.next = number + order.step
  return outcome
}

/** Ends a host that fails before the machine suffers. */
function watchOver(order: ScanOrder, pid: number | undefined, end: (why: string) => void) {
  let place = ''
  let movedAt = performance.now()
  return () => {
    const now = placeOf(order)
    if (now !== place) movedAt = performance.now()
    place = now
    if (residentBytes(pid) > MOST_RESIDENT_BYTES) end('takes more than 4 GiB')
    if (performance.now() - movedAt > PATIENCE_MS) end(`no step for ${PATIENCE_MS} ms`)
  }
}

function placeOf({ placeFile }: ScanOrder): string {
  try {
    return readFileSync(placeFile, 'utf8')
  } catch {
    return ''
  }
}

function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
  } catch {
    return 0
  }
}
