import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSigningKey, revocationListType, signDocument } from '@fogbow/registry/trust'
import { runMarket } from './support/market-site.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'

const HOUR_MS = 3_600_000
const key = createSigningKey()
const listFile = 'revoked.json'
let sequence = 0

const site = runMarket({
  publish: [
    vendorVersion({ version: '1.0.0' }),
    vendorVersion({ version: '1.1.0' }),
    vendorVersion({ name: '@other/cloud', version: '1.0.0' }),
  ],
  settings: {
    marketplace: {
      revocations: { lists: { watchers: { place: listFile, keys: [key.text] } } },
    },
  },
})

test('nothing of the community is installed while a list of revocations cannot be read', async () => {
  const plan = await site.market.plan({ action: 'install', source: `${vendorCloud}@1.0.0` })
  assert.match(plan.refusals.join(), /No valid revocation list of 'watchers'/)
  await publishList([])
  await site.market.post('refresh')
  await site.market.install('1.0.0')
  assert.equal(await site.market.answeredBy(), '1.0.0')
})

test('a warning lets a plugin go on; stop-new-orders closes it for new orders; stop stops it; what is taken back comes back', async () => {
  const { market, cli } = site
  const order = await market.order()
  await market.ready(order)
  const revoke = (action: string) =>
    market.post('revocations', {
      package: vendorCloud,
      versions: '<1.1.0',
      action,
      reason: 'loses data',
    })

  await revoke('warn')
  assert.equal(await market.answeredBy(), '1.0.0')
  await market.ready(await market.order())
  const warned = await market.get<{ action: string; plugins: string[] }[]>('revocations')
  assert.deepEqual(
    warned.map(({ action, plugins }) => [action, plugins]),
    [['warn', ['vendor']]],
  )

  await revoke('stop-new-orders')
  await assert.rejects(
    market.order(),
    /406 .*takes no new orders: this site has revoked it: loses data/,
  )
  assert.ok(
    (await market.drift()).some(
      ({ kind, message }) => kind === 'revoked' && message.includes('loses data'),
    ),
  )
  await market.ready(order)
  assert.equal(await market.answeredBy(), '1.0.0', 'what is there is served')

  await revoke('stop')
  await assert.rejects(market.answeredBy())
  const shown = await cli(['plugin', 'revocations'])
  assert.match(shown.stdout, /@vendor\/cloud\s+<1\.1\.0\s+stop\s+this site\s+vendor\s+loses data/)

  const restarted = await cli(['plugin', 'restart', 'vendor'])
  assert.match(restarted.stderr, /stays stopped, because this site has revoked it: loses data/)
  const reloaded = await market.client.post('/ras/admin/reload')
  assert.equal(reloaded.status, 200)
  await assert.rejects(market.answeredBy(), 'also after a reload')
  await site.killAndRestart()
  await assert.rejects(site.market.answeredBy(), 'also after a restart')

  const back = await site.cli(['plugin', 'unrevoke', `${vendorCloud}@<1.1.0`])
  assert.equal(back.code, 0, back.stderr)
  assert.equal(await site.market.answeredBy(), '1.0.0')
  await site.market.ready(await site.market.order())
  await site.market.ready(order)
})

test('a revoked version is not installed, and the upgrade out of it is', async () => {
  const { market } = site
  await publishList([
    {
      package: vendorCloud,
      versions: '1.0.0',
      action: 'stop-new-orders',
      reason: 'CVE',
      since: now(),
    },
    { package: '@other/cloud', versions: '*', action: 'stop', reason: 'stolen name', since: now() },
  ])
  await market.post('refresh')
  await assert.rejects(market.order(), /watchers has revoked it: CVE/)
  const plan = await market.plan({ action: 'install', source: '@other/cloud@1.0.0' })
  assert.match(plan.refusals.join(), /'watchers' has revoked it: stolen name/)
  await market.install('1.1.0')
  assert.equal(await market.orderedFrom(), '1.1.0')
  assert.deepEqual(
    (await market.drift()).filter(({ kind }) => kind === 'revoked'),
    [],
  )
})

test('a list that is older than one seen before, or that another key signed, changes nothing', async () => {
  const { market } = site
  const file = join(site.process.folder, listFile)
  const content = (number: number) => ({ ...documentOf([], number) })
  writeFileSync(file, JSON.stringify(signDocument(content(1), [key])))
  const older = await market.post<{ problems: { problem: string }[] }>('refresh')
  assert.match(older.problems[0]?.problem ?? '', /2 was seen before/)
  writeFileSync(file, JSON.stringify(signDocument(content(9), [createSigningKey()])))
  const forged = await market.post<{ problems: { problem: string }[] }>('refresh')
  assert.match(forged.problems[0]?.problem ?? '', /no key that this site believes has signed it/)
  const revoked = await market.get<{ package: string }[]>('revocations')
  assert.ok(
    revoked.some((one) => one.package === '@other/cloud'),
    'still heeded',
  )
})

function publishList(revocations: object[]): void {
  sequence++
  const signed = signDocument(documentOf(revocations, sequence), [key])
  writeFileSync(join(site.process.folder, listFile), JSON.stringify(signed))
}

function documentOf(revocations: object[], number: number) {
  const expiresAt = new Date(Date.now() + HOUR_MS).toISOString()
  return { type: revocationListType, issuedAt: now(), expiresAt, sequence: number, revocations }
}

function now(): string {
  return new Date().toISOString()
}
