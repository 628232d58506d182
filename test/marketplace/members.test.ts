import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { FederatedSite } from '../federation/sites/federated-site.ts'
import { type Federation, startFederation } from '../federation/sites/federation-sites.ts'
import { Market, until } from './support/market-site.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'
import { startVerdaccio, type Verdaccio } from './support/verdaccio.ts'

const sites = [
  { id: 'a.site-a.test', kind: 'prosody' },
  { id: 'b.site-b.test', kind: 'prosody' },
  { id: 'c.site-c.test', kind: 'prosody' },
] as const
const revocation = {
  package: vendorCloud,
  versions: '1.0.0',
  action: 'stop-new-orders',
  reason: 'gives away addresses twice',
}

let registry: Verdaccio
let federation: Federation
let revoking: FederatedSite
let believing: FederatedSite
let indifferent: FederatedSite

before(async () => {
  registry = await startVerdaccio()
  await registry.publish(vendorVersion({ version: '1.0.0' }))
  federation = await startFederation({ sites, settings: settingsOf([]) })
  ;[revoking, believing, indifferent] = federation.sites as [
    FederatedSite,
    FederatedSite,
    FederatedSite,
  ]
  const config = federation.configOf(believing, settingsOf([revoking.id]))
  writeFileSync(join(believing.setUp.folder, 'fogbow.config.ts'), config)
  const { status, body } = await believing.client().post('/ras/admin/reload')
  assert.equal(status, 200, JSON.stringify(body))
})
after(async () => {
  await federation?.stop()
  await registry?.stop()
})

test('what a believed member runs is shown beside the evidence, and what others run is not', async () => {
  await marketOf(revoking).install('1.0.0')
  assert.match(await membersCheck(believing), /^passed: .*a\.site-a\.test \(community\)/)
  assert.match(await membersCheck(indifferent), /^absent: /)
})

test('a plugin closes at the site that believes a revocation, within one refresh, and at no other', async () => {
  for (const site of [believing, indifferent]) {
    await marketOf(site).install('1.0.0')
    await order(site)
  }
  await marketOf(revoking).post('revocations', revocation)
  for (const site of [believing, indifferent]) await refresh(site)
  await assert.rejects(
    order(believing),
    /member:a\.site-a\.test has revoked it: gives away addresses twice/,
  )
  await order(indifferent)
})

test('silence of the member withdraws nothing, and its word does', async () => {
  await revoking.kill()
  const { problems } = await marketOf(believing).post<{ problems: { source: string }[] }>('refresh')
  assert.deepEqual(
    problems.map(({ source }) => source),
    [`member:${revoking.id}`],
  )
  await assert.rejects(order(believing), /gives away addresses twice/)

  await revoking.start()
  await marketOf(revoking).post('revocations/withdraw', revocation)
  await until(
    () => marketOf(believing).post<{ problems: unknown[] }>('refresh'),
    (refreshed) => refreshed.problems.length === 0,
  )
  await order(believing)
})

function settingsOf(members: readonly string[]) {
  return {
    plugins: { vendor: { package: vendorCloud } },
    clouds: { vendor: { plugin: 'vendor', mapper: 'account' } },
    marketplace: {
      registries: { npm: { url: registry.url } },
      policy: { minimumAgeHours: 0 },
      revocations: { members },
    },
  }
}

const marketOf = (site: FederatedSite) => new Market(site.client())

async function membersCheck(site: FederatedSite): Promise<string> {
  await refresh(site)
  const plan = await marketOf(site).plan({ action: 'install', source: `${vendorCloud}@1.0.0` })
  const check = plan.changes[0]?.verdict?.checks.find(({ rule }) => rule === 'members')
  return `${check?.outcome}: ${check?.message}`
}

async function refresh(site: FederatedSite): Promise<void> {
  const { problems } = await marketOf(site).post<{ problems: unknown[] }>('refresh')
  assert.deepEqual(problems, [])
}

async function order(site: FederatedSite): Promise<void> {
  const market = marketOf(site)
  await market.ready(await market.order())
}
