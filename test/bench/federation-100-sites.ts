import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Child, startChild } from './child.ts'
import { cpuMs, residentMiB } from './cpu-time.ts'
import type { CrowdFigures, CrowdOptions, Meeting } from './federation-crowd.ts'
import { type Parties, type Party, startParties } from './federation-parties.ts'
import { atMost, type BenchResult } from './result.ts'

const SITES = 100
const PROCESSES = 4
const RENDEZVOUS = 'rendezvous.site-a.test'
/** Of the rendezvous and of the heartbeat between members, as they are by default. */
const PERIOD_MS = 30_000
const MEASURED_ROUNDS = 2
const PATIENCE_MS = 600_000
const LOOK_EVERY_MS = 200

/**
 * A hundred sites that find each other at one rendezvous, and from then on show each other signs of life: each with its own
 * keys, store, component and federation, many in one process, all at one server: ejabberd, since the lists with the
 * statements about a hundred members are large. Nobody has written down anything of anybody but the rendezvous.
 */
export default async function federation100Sites(): Promise<BenchResult[]> {
  const siteIds = Array.from({ length: SITES }, (_, n) => `s${n}.site-a.test`)
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-bench-'))
  const children: Child[] = []
  let parties: Parties | undefined
  const start = async (options: CrowdOptions) => {
    const child = await startChild('federation-crowd.ts', options)
    children.push(child)
    return child
  }
  try {
    parties = await startParties('ejabberd', [
      { domain: 'site-a.test', siteIds, jids: [RENDEZVOUS] },
    ])
    const rendezvous = await start({ role: 'rendezvous', link: parties.linkOf(RENDEZVOUS), folder })
    const meeting = await rendezvous.tell<Meeting>('meeting')
    const crowds = await Promise.all(
      Array.from({ length: PROCESSES }, () => start({ role: 'sites' })),
    )
    const [server] = parties.servers
    const pids = {
      sites: crowds.map(({ pid }) => pid),
      rendezvous: [rendezvous.pid],
      server: [server?.pid ?? 0],
    }
    return await measure(crowds, pids, Object.values(parties.sites), meeting)
  } finally {
    for (const child of children) await child.stop()
    await parties?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Pids = Record<'sites' | 'rendezvous' | 'server', readonly number[]>

async function measure(
  crowds: readonly Child[],
  pids: Pids,
  parties: readonly Party[],
  meeting: Meeting,
): Promise<BenchResult[]> {
  const [last, ...others] = parties
  if (!last) throw new Error('there are no sites')
  const memory = () => pids.sites.reduce((sum, pid) => sum + residentMiB(pid), 0)
  const emptyMiB = memory()
  const begunAt = performance.now()
  const share = Math.ceil(others.length / crowds.length)
  await Promise.all(
    crowds.map((crowd, n) =>
      crowd.tell('start', { parties: others.slice(n * share, (n + 1) * share), meeting }),
    ),
  )
  const openMs = performance.now() - begunAt
  const joinMs = await until(
    crowds,
    'all know all',
    ({ fewestMembers }) => fewestMembers >= SITES - 2,
  )
  const lateMs = await joinLate(crowds, last, meeting)
  const aliveMs = await until(
    crowds,
    'all heard of all',
    ({ alive }) => alive >= SITES * (SITES - 1),
  )
  await pause(PERIOD_MS)
  const round = await measureRounds(crowds, pids)
  const miB = (memory() - emptyMiB) / SITES
  return [
    atMost('100 sites: all know all, periods of the rendezvous', joinMs / PERIOD_MS, 2, 'count', {
      'seconds until all know all': joinMs / 1000,
      'seconds until all were opened': openMs / 1000,
      'seconds until all heard of all': (joinMs + lateMs + aliveMs) / 1000,
    }),
    atMost('100 sites: one more joins', lateMs, 3000, 'ms'),
    atMost('100 sites: memory of one', miB, 4, 'MiB', { 'empty process': emptyMiB / PROCESSES }),
    atMost('100 sites: CPU of one for a round of heartbeats', round.sites / SITES, 100, 'ms', {
      'CPU ms of all sites': round.sites,
      'CPU ms of the rendezvous': round.rendezvous,
      'CPU ms of the server': round.server,
      requests: round.messages,
      'requests of one site': round.messages / SITES,
      'KiB that a site sends and receives': round.bytes / SITES / 1024,
      'round s': PERIOD_MS / 1000,
    }),
  ]
}

/** Somebody who comes to those who are there already. */
async function joinLate(crowds: readonly Child[], party: Party, meeting: Meeting): Promise<number> {
  const begunAt = performance.now()
  await crowds[0]?.tell('start', { parties: [party], meeting })
  await until(crowds.slice(0, 1), 'it knows all', ({ fewestMembers }) => fewestMembers >= SITES - 2)
  return performance.now() - begunAt
}

async function figures(crowds: readonly Child[]): Promise<CrowdFigures> {
  const all = await Promise.all(crowds.map((crowd) => crowd.tell<CrowdFigures>('figures')))
  const sum = (of: 'alive' | 'messages' | 'bytes') => all.reduce((total, one) => total + one[of], 0)
  return {
    fewestMembers: Math.min(...all.map(({ fewestMembers }) => fewestMembers)),
    alive: sum('alive'),
    messages: sum('messages'),
    bytes: sum('bytes'),
  }
}

/** @returns how long it took */
async function until(
  crowds: readonly Child[],
  what: string,
  isSo: (now: CrowdFigures) => boolean,
): Promise<number> {
  const begunAt = performance.now()
  for (;;) {
    const now = await figures(crowds)
    const ms = performance.now() - begunAt
    if (isSo(now)) return ms
    if (ms > PATIENCE_MS) throw new Error(`not so after ${ms} ms: ${what}; ${JSON.stringify(now)}`)
    await pause(LOOK_EVERY_MS)
  }
}

async function measureRounds(crowds: readonly Child[], pids: Pids) {
  const read = async () => {
    const cpu = Object.fromEntries(
      Object.entries(pids).map(([who, of]) => [who, of.reduce((sum, pid) => sum + cpuMs(pid), 0)]),
    ) as Record<keyof Pids, number>
    const { messages, bytes } = await figures(crowds)
    return { ...cpu, messages, bytes }
  }
  const before = await read()
  await pause(PERIOD_MS * MEASURED_ROUNDS)
  const after = await read()
  const of = (name: keyof typeof before) => (after[name] - before[name]) / MEASURED_ROUNDS
  return {
    sites: of('sites'),
    rendezvous: of('rendezvous'),
    server: of('server'),
    messages: of('messages'),
    bytes: of('bytes'),
  }
}

if (import.meta.main)
  for (const line of await federation100Sites())
    console.log(
      `${line.ok ? 'ok    ' : 'MISSED'} ${line.name}: ${line.value.toFixed(2)} (${line.bar})`,
      line.details,
    )
