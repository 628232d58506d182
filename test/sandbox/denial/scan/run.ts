import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { openScan } from './scan.ts'
import { callsOfOne, describeCall, type Finding } from './scan-order.ts'

/**
 * Calls every function that a plugin can reach on every hostile receiver with every hostile list of arguments, and prints
 * those calls that outlived the kill of their guest. Takes an hour or more; one that was broken off goes on from its file.
 *
 *   node test/sandbox/denial/scan/run.ts --file found.jsonl [--level worker] [--jobs 2] [--only 'String.*pad'] [--step 3] [--all]
 */
const { values } = parseArgs({
  options: {
    file: { type: 'string' },
    level: { type: 'string', default: 'worker' },
    jobs: { type: 'string', default: '2' },
    /** Of so many calls one is tried. */
    step: { type: 'string', default: '1' },
    /** A regular expression for the names of the functions. */
    only: { type: 'string', default: '' },
    /** Prints also those whose guest was stopped. */
    all: { type: 'boolean', default: false },
  },
})

interface Found extends Finding {
  run: string
  form: string
  list: string
}

/** A function that was tried through, and how many of its calls were not. */
interface Done {
  done: string
  skipped: number
}

type Line = Found | Done

const FUNCTIONS_AT_ONCE = 20

const scan = await openScan(values.level)
const { functions, forms, lists } = scan.catalogue
const perFunction = callsOfOne(scan.catalogue)
const step = Number(values.step)
const lines = readLines()
const done = new Map(lines.flatMap((line) => ('done' in line ? [[line.done, line.skipped]] : [])))
const only = new RegExp(values.only)
const wanted = chunksOf(
  [...functions.keys()].filter((at) => {
    const name = functions[at] ?? ''
    return !done.has(name) && only.test(name)
  }),
)
await Promise.all(Array.from({ length: Number(values.jobs) }, tryNext))
scan.close()
report()

async function tryNext(): Promise<void> {
  for (let chunk = wanted.shift(); chunk; chunk = wanted.shift()) {
    const [first = 0] = chunk
    const range = { from: first * perFunction, to: (first + chunk.length) * perFunction, step }
    const skipped = await scan.run(range, (finding) =>
      note({ ...finding, ...describeCall(scan.catalogue, finding.number) }),
    )
    for (const at of chunk) {
      const line = { done: functions[at] ?? '', skipped: at === first ? skipped : 0 }
      done.set(line.done, line.skipped)
      note(line)
    }
  }
}

/** Functions beside each other, which one host tries: to start one takes longer than most functions. */
function chunksOf(indexes: readonly number[]): number[][] {
  const chunks: number[][] = []
  for (const at of indexes) {
    const last = chunks.at(-1)
    if (last && last.length < FUNCTIONS_AT_ONCE && last.at(-1) === at - 1) last.push(at)
    else chunks.push([at])
  }
  return chunks
}

function readLines(): Line[] {
  if (!values.file || !existsSync(values.file)) return []
  const texts = readFileSync(values.file, 'utf8').split('\n').filter(Boolean)
  return texts.map((text) => JSON.parse(text))
}

function note(line: Line): void {
  lines.push(line)
  if (values.file) appendFileSync(values.file, `${JSON.stringify(line)}\n`)
}

/** One row for each outcome, function and receiver. */
function report(): void {
  const rows = Map.groupBy(
    lines.filter((line) => 'outcome' in line),
    ({ outcome, run, form }) => `${outcome.padEnd(9)}  ${run}  on ${form}`,
  )
  for (const [row, found] of [...rows].sort()) {
    if (row.startsWith('killed') && !values.all) continue
    const killMs = Math.max(...found.map((one) => one.killMs ?? 0))
    const with3 = found.slice(0, 3).map(({ list }) => list)
    const why = row.startsWith('host') ? found[0]?.why.slice(0, 300) : ''
    console.log(`${row}  ${found.length} x, ${killMs} ms, with ${with3.join('; ')} ${why}`)
  }
  const counts = Object.entries(
    Object.groupBy(
      lines.filter((line) => 'outcome' in line),
      ({ outcome }) => outcome,
    ),
  ).map(([outcome, found]) => `${found?.length} ${outcome}`)
  const skipped = [...done.values()].reduce((sum, one) => sum + one, 0)
  console.log(
    `${done.size} of ${functions.length} functions, ${forms.length} receivers, ${lists.length} lists of arguments: ${Math.floor((done.size * perFunction) / step) - skipped} calls and ${skipped} left out; ${counts.join(', ')}`,
  )
}
