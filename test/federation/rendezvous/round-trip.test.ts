import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  createMembership,
  type Membership,
  openJsonFile,
} from '../../../core/federation/membership/index.ts'
import { openSiteKeys } from '../../../core/federation/trust/index.ts'
import { createXmppComponent, systemClock } from '../../../core/federation/xmpp/index.ts'
import { loadRendezvousConfig } from '../../../core/rendezvous/config.ts'
import { type RunningRendezvous, runRendezvous } from '../../../core/rendezvous/main.ts'
import { loopbackAddress } from '../servers/addresses.ts'
import { type Authority, createAuthority } from '../servers/certificates.ts'
import { startProsody } from '../servers/prosody.ts'
import type { XmppServer } from '../servers/server-process.ts'

const SECRET = 'correct horse'
const PATIENCE_MS = 30_000
const log = { info() {}, warn() {}, error() {} }

interface Place {
  readonly domain: string
  readonly jids: readonly string[]
}

/** Two servers; a rendezvous at each, and three sites. */
const places: readonly Place[] = [
  { domain: 'one.test', jids: ['rendezvous.one.test', 'ras-a.one.test', 'ras-c.one.test'] },
  { domain: 'two.test', jids: ['rendezvous.two.test', 'ras-b.two.test'] },
]
const [R1, R2] = ['rendezvous.one.test', 'rendezvous.two.test'] as const

let authority: Authority
let folder: string
const servers = new Map<string, XmppServer>()
const rendezvous = new Map<string, RunningRendezvous>()
const members = new Map<string, Membership>()
const ends: (() => Promise<void>)[] = []

before(async () => {
  authority = createAuthority()
  folder = mkdtempSync(join(tmpdir(), 'fogbow-rendezvous-'))
  const addresses = await Promise.all(places.map(loopbackAddress))
  const names = Object.fromEntries(
    places.flatMap(({ domain, jids }, n) =>
      [domain, ...jids].map((name) => [name, addresses[n] ?? '']),
    ),
  )
  await Promise.all(
    places.map(async ({ domain, jids }, n) => {
      const components = Object.fromEntries(jids.map((jid) => [jid, SECRET]))
      const address = addresses[n] ?? ''
      const server = await startProsody({ domain, address, components, authority, names })
      for (const jid of jids) servers.set(jid, server)
    }),
  )
  await startOne(R1, R2)
  await startOne(R2, R1)
})

after(async () => {
  for (const end of ends) await end()
  for (const { stop } of rendezvous.values()) await stop()
  for (const server of new Set(servers.values())) await server.remove()
  authority.remove()
  rmSync(folder, { recursive: true, force: true })
})

async function startOne(jid: string, neighbour: string): Promise<void> {
  const server = servers.get(jid) ?? assert.fail()
  const file = join(folder, `${jid}.json`)
  const config = {
    jid,
    xmpp: { host: server.address, port: server.portOf(jid), secret: 'env:SECRET' },
    dataDir: `./${jid}`,
    members: { file: 'members' },
    neighbours: [neighbour],
    periodMs: 1000,
    lostHeartbeats: 5,
    syncEveryMs: 1000,
    metrics: { port: 0 },
  }
  writeFileSync(file, JSON.stringify(config))
  writeFileSync(join(folder, 'members'), 'ras-a.one.test\nras-b.two.test\nras-c.one.test\n')
  const loaded = await loadRendezvousConfig(file, folder)
  rendezvous.set(jid, await runRendezvous(loaded, { SECRET }, log))
}

async function startSite(id: string, of: readonly string[]): Promise<() => Promise<void>> {
  const jid = `ras-${id}`
  const server = servers.get(jid) ?? assert.fail()
  const dataDir = join(folder, id)
  const component = createXmppComponent(
    { jid, host: server.address, port: server.portOf(jid), secret: SECRET },
    { log },
  )
  const peers = of.map((peer) => ({ jid: peer, keys: [rendezvous.get(peer)?.key ?? ''] }))
  const membership = createMembership({
    component,
    siteId: id,
    settings: () => ({ list: [], rendezvous: peers }),
    keys: await openSiteKeys(dataDir),
    clock: systemClock,
    log,
    memory: openJsonFile(join(dataDir, 'membership.json')),
  })
  component.start()
  await membership.start()
  members.set(id, membership)
  const end = async () => {
    await membership.stop()
    await component.stop()
  }
  ends.push(end)
  return end
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  while (!isSo()) {
    if (performance.now() > giveUpAt) assert.fail(`${what}: ${shown()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const shown = () => JSON.stringify([...members].map(([id, membership]) => [id, membership.view()]))
const knows = (id: string, ...others: string[]) =>
  members.get(id)?.members().toSorted().join() === others.toSorted().join()

test('three sites at two rendezvous find each other, through a restart and the end of one', async () => {
  await startSite('a.one.test', [R1])
  const endB = await startSite('b.two.test', [R2])
  await startSite('c.one.test', [R1, R2])
  const everybody = () =>
    knows('a.one.test', 'b.two.test', 'c.one.test') &&
    knows('b.two.test', 'a.one.test', 'c.one.test') &&
    knows('c.one.test', 'a.one.test', 'b.two.test')
  await until('all know all', everybody)

  const key = rendezvous.get(R1)?.key
  await rendezvous.get(R1)?.stop()
  await until('a notices', () => problemOf('a.one.test') !== undefined)
  assert.ok(everybody(), 'silence drops nobody')
  await startOne(R1, R2)
  assert.equal(rendezvous.get(R1)?.key, key)
  await until('a is served again', () => problemOf('a.one.test') === undefined)
  assert.ok(everybody(), 'nor does the restart')

  const metrics = await fetch(rendezvous.get(R1)?.metricsUrl ?? '')
  assert.match(await metrics.text(), /fogbow_rendezvous_members 3\n/)

  await endB()
  await until(
    'b is missed everywhere',
    () => knows('a.one.test', 'c.one.test') && knows('c.one.test', 'a.one.test'),
  )
  writeFileSync(join(folder, 'members'), 'ras-a.one.test\n')
  await until('c is expelled', () => knows('a.one.test') && problemOf('c.one.test') !== undefined)
  assert.match(problemOf('c.one.test') ?? '', /forbidden/)
})

function problemOf(id: string): string | undefined {
  return members.get(id)?.view().sources[0]?.problem
}
