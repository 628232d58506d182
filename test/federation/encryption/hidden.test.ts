import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { allocationMethods } from '../../../core/federation/allocation/index.ts'
import type { RemoteCall } from '../../../core/federation/contract.ts'
import { createFederation, type FederationHost } from '../../../core/federation/federation.ts'
import {
  defaultFederationSettings,
  type Encryption,
  type FederationSettings,
} from '../../../core/federation/settings.ts'
import { siteOf } from '../../../core/federation/site-jid.ts'
import { makeSiteKeys } from '../../../core/federation/testing/keys.ts'
import { systemClock } from '../../../core/federation/xmpp/index.ts'
import { openSqliteStore } from '../../../core/store/index.ts'
import { loopbackAddress } from '../servers/addresses.ts'
import { openWire } from '../sites/wire.ts'
import { type Site, type Sites, startSites } from '../xmpp/site.ts'

const log = { info() {}, warn() {}, error() {} }
const PATIENCE_MS = 30_000
/** What a user wrote, and what nobody but the two sites is to know. */
const words = ['name-of-the-order', 'eva-the-user', 'hush-in-the-user-data', 'createOrder']
const TOKEN = 'token-of-eva'

let all: Sites
before(async () => {
  all = await startSites(['prosody', 'ejabberd'])
  for (const { component } of all.sites) await component.stop()
})
after(() => all.remove())

interface Host {
  readonly id: string
  readonly federation: FederationHost
  readonly asked: RemoteCall[]
  /** All that its server got from it and sent to it. */
  readonly passed: () => string
  stop(): Promise<void>
}

/** Two hosts, each with an ear at the stream between it and its own server. */
async function startHosts(encryption: Encryption): Promise<[Host, Host]> {
  const keys = new Map(all.sites.map(({ jid }) => [siteOf(jid) ?? '', makeSiteKeys()]))
  const peers = Object.fromEntries(
    [...keys].map(([id, { announced }]) => [id, { keys: announced, dialect: 'own' as const }]),
  )
  const members = [...keys.keys()]
  const settings = { ...defaultFederationSettings, members, peers, encryption }
  const start = async (site: Site) => {
    const own = keys.get(siteOf(site.jid) ?? '')
    assert.ok(own)
    return startHost(site, own, settings)
  }
  return (await Promise.all(all.sites.map(start))) as [Host, Host]
}

async function startHost(
  site: Site,
  keys: ReturnType<typeof makeSiteKeys>,
  settings: FederationSettings,
): Promise<Host> {
  const id = siteOf(site.jid) ?? ''
  const chunks: Buffer[] = []
  const listen = { host: await loopbackAddress(), port: 5348 }
  const wire = await openWire({
    listen,
    to: { host: site.server.address, port: site.server.portOf(site.jid) },
    reader: (_direction, write) => (chunk) => {
      chunks.push(chunk)
      write(chunk)
    },
  })
  const component = site.connect(listen)
  const store = await openSqliteStore(':memory:')
  const asked: RemoteCall[] = []
  const federation = createFederation({
    ...{ component, store, siteId: id, methods: allocationMethods, keys, clock: systemClock, log },
    config: () => settings,
  })
  federation.serve(async (call) => {
    asked.push(call)
    if (call.method.name === 'listImages') return [{ id: 'i', name: 'image-of-theirs' }]
    return { orderId: call.params.orderId, generation: 1, state: 'OPEN', cloudName: 'one' }
  })
  component.start()
  await federation.start()
  return {
    id,
    federation,
    asked,
    passed: () => readable(Buffer.concat(chunks).toString('latin1')),
    async stop() {
      await federation.stop()
      await component.stop()
      wire.close()
      await store.close()
    },
  }
}

/** What somebody reads who sees the stream: its text, and every part of it that is text when it is decoded. */
function readable(stream: string): string {
  const parts = stream.match(/[A-Za-z0-9_-]{16,}/g) ?? []
  return [stream, ...parts.map((part) => Buffer.from(part, 'base64url').toString())].join('\n')
}

async function untilOnline(hosts: readonly Host[]): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  const isReached = (host: Host) =>
    host.federation.members().every(({ local, liveness }) => local || liveness === 'alive')
  while (!hosts.every(isReached)) {
    const reports = await Promise.all(hosts.map((host) => host.federation.examine()))
    if (performance.now() > giveUpAt)
      throw new Error(`the hosts do not reach each other: ${JSON.stringify(reports)}`)
    await pause(50)
  }
}

async function trade(a: Host, b: Host): Promise<void> {
  const user = { id: 'eva-the-user', identityProviderId: a.id, name: 'Eva', roles: [] }
  const userData = [{ extraUserDataFileContent: 'hush-in-the-user-data'.repeat(4000) }]
  const params = {
    ...{ orderId: 'o-1', kind: 'compute', name: 'name-of-the-order' },
    request: { imageId: 'i', userData },
  }
  const withToken = { ...user, tokenValue: TOKEN }
  const report = await a.federation.call(b.id, 'createOrder', params, { user: withToken })
  assert.equal((report as { state: string }).state, 'OPEN')
  const images = await a.federation.call(b.id, 'listImages', { cloudName: 'one' }, { user })
  assert.deepEqual(images, [{ id: 'i', name: 'image-of-theirs' }])
  assert.deepEqual(b.asked[0]?.params, params)
}

for (const [encryption, seen] of [
  ['never', true],
  ['always', false],
] as const)
  test(`with encryption '${encryption}' the servers can${seen ? '' : 'not'} read orders, users, methods and answers`, async () => {
    const hosts = await startHosts(encryption)
    try {
      await untilOnline(hosts)
      const [a, b] = hosts
      await trade(a, b)
      for (const { passed } of hosts) {
        for (const word of [...words, 'image-of-theirs'])
          assert.equal(passed().includes(word), seen, word)
        assert.ok(passed().includes(b.id), 'who speaks to whom is always seen')
        assert.ok(!passed().includes(TOKEN), 'a token never leaves its site')
      }
    } finally {
      await Promise.all(hosts.map((host) => host.stop()))
    }
  })
