import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { detectIsolation, processLauncher, workerLauncher } from '@fogbow/sandbox'
import { withAwakeCores } from './awake-cores.ts'
import {
  comlinkEcho,
  type Echo,
  jsonEcho,
  piscinaEcho,
  postMessageEcho,
  sandboxEcho,
} from './echoes.ts'
import { largePayloads, type Payload, smallPayloads } from './payloads.ts'
import { atLeast, atMost, type BenchResult, median, percentile, told } from './result.ts'

const ROUNDS = 150
const WARM_UP_ROUNDS = 40

type Scenario = 'round trip of 1 KB, µs' | '1 KB calls/s, 64 in flight' | '100 KB calls/s'
type Way = 'postMessage' | 'json' | 'worker' | 'process' | 'piscina' | 'comlink'

const bars: { scenario: Scenario; way: Way; against: Way; least?: number; most?: number }[] = [
  { scenario: 'round trip of 1 KB, µs', way: 'worker', against: 'postMessage', most: 1.1 },
  { scenario: 'round trip of 1 KB, µs', way: 'process', against: 'postMessage', most: 1.35 },
  { scenario: '1 KB calls/s, 64 in flight', way: 'worker', against: 'postMessage', least: 1.3 },
  { scenario: '1 KB calls/s, 64 in flight', way: 'process', against: 'postMessage', least: 0.9 },
  { scenario: '1 KB calls/s, 64 in flight', way: 'worker', against: 'piscina', least: 2 },
  { scenario: '1 KB calls/s, 64 in flight', way: 'worker', against: 'comlink', least: 2 },
  { scenario: '100 KB calls/s', way: 'worker', against: 'postMessage', least: 1.4 },
  { scenario: '100 KB calls/s', way: 'process', against: 'postMessage', least: 1.4 },
  { scenario: '100 KB calls/s', way: 'json', against: 'postMessage' },
  { scenario: '100 KB calls/s', way: 'worker', against: 'json' },
]

/**
 * What a call into the sandbox costs beside the same data sent as an object through a bare `postMessage`, and through
 * others that call threads: contracts, checks, deadline and isolation included. All run in turns in one process, every
 * call with a payload of its own.
 *
 * A message takes three times as long when the core of its receiver has gone to sleep, which it does by chance, so cores
 * are kept awake; other work on the machine comes and goes as well. So turns are short, each round begins with another
 * way, and what counts is the median of the ratios of turns of the same round, whose circumstances are the same; the
 * figure of a turn of single calls is their lower quartile. All of it holds for all ways alike.
 */
export default async function sandboxCall(): Promise<BenchResult[]> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'fogbow-bench-'))
  const small = smallPayloads(2048)
  const large = largePayloads(64)
  const ways: Record<Way, Echo> = {
    postMessage: postMessageEcho(),
    json: jsonEcho(),
    worker: await sandboxEcho(workerLauncher({ cacheDir })),
    process: await sandboxEcho(processLauncher({ cacheDir, isolation: await detectIsolation() })),
    piscina: piscinaEcho(),
    comlink: comlinkEcho(),
  }
  const measures: Record<Scenario, (echo: Echo) => Promise<number>> = {
    'round trip of 1 KB, µs': (echo) => roundTripUs(echo, small, 40),
    '1 KB calls/s, 64 in flight': (echo) => callsPerSecond(echo, small, 640, 64),
    '100 KB calls/s': (echo) => callsPerSecond(echo, large, 16, 8),
  }
  try {
    return compare(await withAwakeCores(() => measureInTurns(measures, ways)))
  } finally {
    await Promise.all(Object.values(ways).map((way) => way.stop()))
    rmSync(cacheDir, { recursive: true })
  }
}

type Figures = Record<Scenario, Record<Way, number[]>>

async function measureInTurns(
  measures: Record<Scenario, (echo: Echo) => Promise<number>>,
  ways: Record<Way, Echo>,
): Promise<Figures> {
  const figures = {} as Figures
  for (const [scenario, measure] of Object.entries(measures) as [
    Scenario,
    (echo: Echo) => Promise<number>,
  ][]) {
    const rows = Object.fromEntries(
      Object.keys(ways).map((way) => [way, [] as number[]]),
    ) as Record<Way, number[]>
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      for (const way of inTurn(Object.keys(ways) as Way[], round)) {
        const value = await measure(ways[way])
        if (round >= WARM_UP_ROUNDS) rows[way].push(value)
      }
    }
    figures[scenario] = rows
  }
  return figures
}

/** The same ways, begun with another one each round: what follows a certain one may be better or worse off for it. */
function inTurn(ways: Way[], round: number): Way[] {
  const first = round % ways.length
  return [...ways.slice(first), ...ways.slice(0, first)]
}

function compare(figures: Figures): BenchResult[] {
  return bars.map(({ scenario, way, against, least, most }) => {
    const own = figures[scenario][way]
    const other = figures[scenario][against]
    const ratio = median(own.map((value, round) => value / (other[round] ?? Number.NaN)))
    const name = `sandbox call: ${scenario}: ${way} against ${against}`
    const details = { [way]: median(own), [against]: median(other) }
    if (most !== undefined) return atMost(name, ratio, most, 'ratio', details)
    if (least !== undefined) return atLeast(name, ratio, least, 'ratio', details)
    return told(name, ratio, 'ratio', details)
  })
}

/** The first ones go to the end, so that they are met again as late as possible. */
function nextPayloads(payloads: Payload[], count: number): Payload[] {
  const next = payloads.splice(0, count)
  payloads.push(...next)
  return next
}

async function roundTripUs(echo: Echo, payloads: Payload[], calls: number): Promise<number> {
  const times: number[] = []
  for (const payload of nextPayloads(payloads, calls)) {
    const start = performance.now()
    await echo.send(payload)
    times.push((performance.now() - start) * 1000)
  }
  return percentile(times, 0.25)
}

async function callsPerSecond(
  echo: Echo,
  payloads: Payload[],
  calls: number,
  inFlight: number,
): Promise<number> {
  const left = nextPayloads(payloads, calls)
  const start = performance.now()
  const caller = async () => {
    for (let payload = left.pop(); payload; payload = left.pop()) await echo.send(payload)
  }
  await Promise.all(Array.from({ length: inFlight }, caller))
  return calls / ((performance.now() - start) / 1000)
}

if (import.meta.main)
  for (const line of await sandboxCall())
    console.log(
      `${line.ok ? 'ok    ' : 'MISSED'} ${line.name}: ${line.value.toFixed(2)} (${line.bar})`,
      line.details,
    )
