import { withAwakeCores } from './awake-cores.ts'
import { type Child, startChild } from './child.ts'
import { cpuMs } from './cpu-time.ts'
import type { AskerOptions, Latency, Lengths } from './federation-asker.ts'
import { startParties } from './federation-parties.ts'
import { atLeast, atMost, type BenchResult, median, told } from './result.ts'

const ROUNDS = 10
/** A site runs for weeks: what is measured is code that the engine has compiled. */
const WARM_UP_CALLS = 6000
const CALLS = { latency: 300, rate: 1000 }
const IN_FLIGHT = 64

const HOME = { shared: 'home.site-a.test', signed: 'careful.site-a.test' }
const PROVIDER = 'provider.site-b.test'
const ECHO = { asks: 'echo.site-a.test', answers: 'echo.site-b.test' }
const ways = ['echo', 'shared', 'signed'] as const
type Way = (typeof ways)[number]

interface Row {
  latencyMs: number
  perSecond: number
  /** CPU of each process that a call passes, ms for each call, when there is one at a time. */
  oneCpu: Record<string, number>
  /** The same with many in flight. */
  manyCpu: Record<string, number>
}

/**
 * An instance looked at by another site, against an echo of stanzas of the same size through the same two servers, in
 * turns. Everybody is a process of its own, those of the echo too: asker, its server, server of the provider, and the
 * provider, which is a whole site with its plugins. Cores are kept awake, as in `sandbox-call`. `shared` is how reads are by default, `signed` how they can be. The bar
 * is for Prosody; ejabberd takes a third of its time, so that whatever a site does weighs three times as much there.
 */
export default async function federationCall(): Promise<BenchResult[]> {
  return withAwakeCores(async () => [
    ...(await through('prosody')),
    ...(await through('ejabberd')).map(withoutBar),
  ])
}

function withoutBar({ name, value, unit, details }: BenchResult): BenchResult {
  return told(name, value, unit, details)
}

async function through(kind: 'prosody' | 'ejabberd'): Promise<BenchResult[]> {
  const parties = await startParties(kind, [
    { domain: 'site-a.test', siteIds: Object.values(HOME), jids: [ECHO.asks] },
    { domain: 'site-b.test', siteIds: [PROVIDER], jids: [ECHO.answers] },
  ])
  const children: Child[] = []
  const start = async (options: AskerOptions) => {
    const child = await startChild('federation-asker.ts', options)
    children.push(child)
    return child
  }
  try {
    const provider = parties.sites[PROVIDER]
    if (!provider) throw new Error('there is no provider')
    const site = await parties.startSite(PROVIDER)
    const asker = async (reads: 'shared' | 'signed') => {
      const party = parties.sites[HOME[reads]]
      if (!party) throw new Error(`there is no ${reads}`)
      return start({ way: 'site', reads, party, provider })
    }
    const askers = { shared: await asker('shared'), signed: await asker('signed') }
    await askers.signed.tell('order')
    const lengths = await askers.shared.tell<Lengths>('order')
    const answering = await start({ way: 'answer', link: parties.linkOf(ECHO.answers), lengths })
    const link = parties.linkOf(ECHO.asks)
    const echo = await start({ way: 'echo', link, to: ECHO.answers, lengths })
    const servers = Object.fromEntries(parties.servers.map(({ pid }, n) => [`server${n}`, pid]))
    const sitePid = site.process.pid ?? 0
    const measured = await inTurns({
      echo: { asker: echo, pids: { asker: echo.pid, answerer: answering.pid, ...servers } },
      shared: {
        asker: askers.shared,
        pids: { asker: askers.shared.pid, answerer: sitePid, ...servers },
      },
      signed: {
        asker: askers.signed,
        pids: { asker: askers.signed.pid, answerer: sitePid, ...servers },
      },
    })
    return compare(kind, measured, lengths)
  } finally {
    for (const child of children) await child.stop()
    await parties.stop()
  }
}

interface Measured {
  asker: Child
  pids: Record<string, number>
}

async function inTurns(measured: Record<Way, Measured>): Promise<Record<Way, Row[]>> {
  const rows: Record<Way, Row[]> = { echo: [], shared: [], signed: [] }
  for (const way of ways)
    await measured[way].asker.tell('rate', { calls: WARM_UP_CALLS, inFlight: IN_FLIGHT })
  for (let round = 0; round < ROUNDS; round += 1)
    for (const way of ways) rows[way].push(await measure(measured[way]))
  return rows
}

async function measure({ asker, pids }: Measured): Promise<Row> {
  const used = async <Result>(calls: number, run: () => Promise<Result>) => {
    const read = () => Object.entries(pids).map(([name, pid]) => [name, cpuMs(pid)] as const)
    const before = new Map(read())
    const result = await run()
    const cpu = read().map(([name, ms]) => [name, (ms - (before.get(name) ?? 0)) / calls] as const)
    return { result, cpu: Object.fromEntries(cpu) }
  }
  const one = await used(CALLS.latency, () =>
    asker.tell<Latency>('latency', { calls: CALLS.latency }),
  )
  const many = await used(CALLS.rate, () =>
    asker.tell<number>('rate', { calls: CALLS.rate, inFlight: IN_FLIGHT }),
  )
  return {
    latencyMs: one.result.p50,
    perSecond: many.result,
    oneCpu: one.cpu,
    manyCpu: many.cpu,
  }
}

function compare(kind: string, rows: Record<Way, Row[]>, lengths: Lengths): BenchResult[] {
  const ratio = (way: Way, of: 'latencyMs' | 'perSecond') =>
    median(rows[way].map((row, round) => row[of] / (rows.echo[round]?.[of] ?? Number.NaN)))
  const middle = (way: Way, of: 'latencyMs' | 'perSecond') =>
    median(rows[way].map((row) => row[of]))
  const cpu = (of: 'oneCpu' | 'manyCpu') =>
    Object.fromEntries(
      ways.flatMap((way) =>
        Object.keys(rows[way][0]?.[of] ?? {}).map((name) => [
          `CPU µs of ${name} (${way})`,
          1000 * median(rows[way].map((row) => row[of][name] ?? 0)),
        ]),
      ),
    )
  return [
    atMost(
      `remote getInstance / echo, ${kind}: latency`,
      ratio('shared', 'latencyMs'),
      1.3,
      'ratio',
      {
        ms: middle('shared', 'latencyMs'),
        'echo ms': middle('echo', 'latencyMs'),
        'signed ms': middle('signed', 'latencyMs'),
        'signed / echo': ratio('signed', 'latencyMs'),
        'characters asked': lengths.request,
        'characters answered': lengths.answer,
        ...cpu('oneCpu'),
      },
    ),
    atLeast(
      `remote getInstance / echo, ${kind}: calls/s with ${IN_FLIGHT} in flight`,
      ratio('shared', 'perSecond'),
      0.8,
      'ratio',
      {
        'per second': middle('shared', 'perSecond'),
        'echo per second': middle('echo', 'perSecond'),
        'signed per second': middle('signed', 'perSecond'),
        'signed / echo': ratio('signed', 'perSecond'),
        ...cpu('manyCpu'),
      },
    ),
  ]
}

if (import.meta.main)
  for (const line of await federationCall())
    console.log(
      `${line.ok ? 'ok    ' : 'MISSED'} ${line.name}: ${line.value.toFixed(2)} (${line.bar})`,
      line.details,
    )
