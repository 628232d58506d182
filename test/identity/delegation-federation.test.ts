import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { FederatedSite } from '../federation/sites/federated-site.ts'
import { type Federation, startFederation } from '../federation/sites/federation-sites.ts'
import { requests } from '../system/rest/run-site.ts'
import type { Client } from '../system/support/client.ts'
import { ADMIN_PASSWORD } from '../system/support/site-process.ts'

/** Two real sites with a server each, whose stanzas the test reads: they are signed and, for once, not encrypted. */
let federation: Federation
let a: FederatedSite
let b: FederatedSite
const stanzas: string[] = []
const tokens: string[] = []

before(async () => {
  federation = await startFederation({
    sites: [
      { id: 'a.site-a.test', kind: 'prosody' },
      { id: 'b.site-b.test', kind: 'prosody' },
    ],
    settings: {
      emulated: { delaysMs: { create: 3000 } },
      orders: { firstHealthCheckMs: 50, longestHealthCheckMs: 50, freshMs: 0 },
      federation: { encryption: 'never' },
    },
  })
  ;[a, b] = federation.sites as [FederatedSite, FederatedSite]
  for (const { link } of federation.sites)
    link.obey(({ xml }) => {
      stanzas.push(xml)
      return [xml]
    })
})
after(() => federation?.stop())

async function logIn(site: FederatedSite): Promise<Client> {
  const client = site.process.client()
  tokens.push(await client.login('admin', ADMIN_PASSWORD))
  return client
}

interface View {
  active: boolean
  problem: string | null
  revokedBy: string | null
  [field: string]: unknown
}

const delegationOf = async (client: Client, id: string) =>
  (await client.get(`/ras/computes/${id}/delegation`)).body as View

async function until(check: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 30_000
  while (!(await check())) {
    assert.ok(Date.now() < giveUpAt, 'it does not come to that')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

let id: string

test('an order at another site becomes ready after its owner logged out and both sites died', async () => {
  const owner = await logIn(a)
  id = await owner.create('/ras/computes', { ...requests.compute, provider: b.id })
  assert.equal((await owner.delete('/as/tokens')).status, 200)
  assert.equal((await owner.get('/as/user')).status, 401)
  await Promise.all([a.kill(), b.kill()])
  await Promise.all([a.start(), b.start()])
  await federation.isWhole()
  const later = await logIn(a)
  await later.until(`/ras/computes/${id}`, 'READY')
  for (const client of [later, await logIn(b)]) {
    const { active, owner: whose, grantedBy } = await delegationOf(client, id)
    assert.deepEqual([active, whose, grantedBy], [true, `admin@${a.id}`, `admin@${a.id}`])
  }
})

test('what its owner revokes at home is revoked at the provider, and stays so after a restart', async () => {
  const owner = await logIn(a)
  const path = `/ras/computes/${id}/delegation?reason=${encodeURIComponent('no money left')}`
  const { status, body } = await owner.delete(path)
  assert.equal(status, 200)
  assert.equal((body as View).active, false)
  const there = await logIn(b)
  await until(async () => !(await delegationOf(there, id)).active)
  assert.match((await delegationOf(there, id)).problem ?? '', /no money left/)
  await b.kill()
  await b.start()
  await federation.isWhole()
  const again = await logIn(b)
  assert.equal((await delegationOf(again, id)).active, false)
  const shown = (await owner.get(`/ras/computes/${id}`)).body as Record<string, unknown>
  assert.match(String(shown.faultMessage), /^Stopped: admin of a\.site-a\.test revoked/)
})

test('it goes on when it is granted anew, and ends when it is deleted', async () => {
  const owner = await logIn(a)
  const granted = await owner.post(`/ras/computes/${id}/delegation`, {})
  assert.equal(granted.status, 201, JSON.stringify(granted.body))
  const there = await logIn(b)
  await until(async () => (await delegationOf(there, id)).active)
  await owner.until(`/ras/computes/${id}`, 'READY')
  assert.equal((await owner.delete(`/ras/computes/${id}`)).status, 200)
  await owner.until(`/ras/computes/${id}`, 'GONE')
})

test('no token of a user was ever said to another site, or is in what sites keep', async () => {
  const said = stanzas.map((xml) => decoded(xml)).join('\n')
  assert.ok(said.includes('setDelegation') && said.includes('no money left'), 'it can be read')
  await Promise.all([a.end(), b.end()])
  const kept = [a, b].flatMap(({ setUp }) => filesIn(join(setUp.folder, 'data')))
  assert.ok(kept.some((text) => text.includes(id)))
  assert.ok(tokens.length >= 6)
  for (const token of tokens) {
    const [, payload = '', signature = ''] = token.split('.')
    for (const part of [token, payload, signature]) {
      assert.ok(!said.includes(part), 'in a stanza')
      assert.ok(!kept.some((text) => text.includes(part)), 'in a file')
    }
  }
})

/** The text, and whatever is base64 in it, and in that. */
function decoded(text: string, depth = 3): string {
  if (depth === 0) return text
  const parts = text.match(/[A-Za-z0-9+/_-]{24,}/g) ?? []
  const inner = parts.map((part) => decoded(Buffer.from(part, 'base64').toString(), depth - 1))
  return [text, ...inner].join('\n')
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
}
