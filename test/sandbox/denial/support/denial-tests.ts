import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { detectIsolation, type IsolationLevel } from '@fogbow/sandbox'
import type { Order, Report, Strike } from './strike.ts'
import { type Aftermath, strikeHost } from './strike-host.ts'

export interface Denial extends Strike {
  /** Completes 'the host survives …'. */
  by: string
  /**
   * A built-in of the engine that nothing can interrupt holds the thread for seconds: in the worker tier its sandbox
   * ends as a zombie, which may hold its core and its memory until it is through.
   */
  lasting?: true
  /**
   * Syntax that the engine runs without a pause and that takes all memory: a host with it in a thread does not survive, so
   * only the tiers with processes promise to.
   */
  processOnly?: true
  /** Its sandbox must have ended by itself: nothing that is left alone may go on. */
  ends?: true
  /** What else must be so. */
  check?(report: Report, level: IsolationLevel): void
}

/** One test per strike and tier. Each runs in a host process of its own. */
export async function testDenials(denials: readonly Denial[]): Promise<void> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'fogbow-denial-'))
  after(() => rmSync(cacheDir, { recursive: true, force: true }))
  const isolation = await detectIsolation()
  for (const level of ['worker', isolation.level] as const) {
    describe(`in the ${level} tier`, () => {
      for (const denial of denials) {
        if (denial.processOnly && level === 'worker') continue
        test(`the host survives ${denial.by}`, async () => {
          judge(await strike({ level, cacheDir, strike: strikeOf(denial) }), denial, level)
        })
      }
    })
  }
}

/** The machine has other users: a pause of the host is blamed on the strike only when it comes every time. */
async function strike(order: Order): Promise<Aftermath> {
  let aftermath = await strikeHost(order)
  for (let again = 1; again < ATTEMPTS && pauseOf(aftermath) !== undefined; again++)
    aftermath = await strikeHost(order)
  return aftermath
}

function strikeOf({ by, lasting, processOnly, ends, check, ...strike }: Denial): Strike {
  return strike
}

/** A host that stands still for longer does not serve others, whatever else the machine is busy with. */
const MOST_STANDSTILL_MS = 400
/** Processor time in one go after which other requests of the host notice. */
const MOST_WORK_MS = 100
const MOST_DIFFERENCE_MIB = 50
/** An idle host uses less than a tenth of this. */
const IDLE_SHARE = 0.1
/** What the system ends is gone within a second; a thread that takes longer than its patience is a zombie. */
const MOST_KILL_MS = { worker: 1600, process: 1000 }
const ATTEMPTS = 3

/** In words, when the event loop of the host was kept from its other work. */
function pauseOf({ report, controlLagMs }: Aftermath): string | undefined {
  if (!report) return undefined
  const { workedMs, longestMs } = report.lag
  if (workedMs >= MOST_WORK_MS) return 'worked in one go'
  const most = Math.max(MOST_STANDSTILL_MS, 3 * controlLagMs)
  return longestMs < most ? undefined : 'stood still'
}

function judge(aftermath: Aftermath, denial: Denial, level: IsolationLevel): void {
  const { death, report, controlLagMs } = aftermath
  assert.equal(death, '')
  assert.ok(report)
  const { neighbour, memory } = report
  const felt = JSON.stringify({ ...report, said: undefined, controlLagMs })
  const pause = pauseOf(aftermath)
  assert.equal(pause, undefined, `the event loop of the host ${pause}: ${felt}`)
  assert.equal(neighbour.during.failed + neighbour.after.failed, 0)
  assert.ok(neighbour.during.answered > 0 && neighbour.after.answered > 0, felt)
  if (denial.ends) assert.ok(report.end, `it still ran: ${felt}`)
  assert.deepEqual(report.problems.filter(isMistake), [], 'the strike itself is wrong')
  denial.check?.(report, level)
  const outlived = report.end?.zombie || report.after?.health.moved
  if (level === 'worker' && denial.lasting && outlived) return
  assert.ok(!report.end?.zombie, `its thread could not be stopped: ${felt}`)
  const mostKillMs = MOST_KILL_MS[level === 'worker' ? 'worker' : 'process']
  assert.ok(report.killMs < mostKillMs, `it was not gone in time: ${felt}`)
  assert.ok(memory.after - memory.before < MOST_DIFFERENCE_MIB, `memory was lost: ${felt}`)
  assert.ok(report.busyShare < IDLE_SHARE, `something goes on: ${felt}`)
}

/** An error that a defence never answers with: the code of the strike did not come to its point. */
function isMistake(problem: string): boolean {
  return /\b(ReferenceError|SyntaxError)\b|is not (a function|defined|iterable)|Cannot read prop/.test(
    problem,
  )
}
