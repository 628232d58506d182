import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { addUser } from '../system/rest/run-site.ts'
import { Market, marketConfig, runMarket, until } from './support/market-site.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'

interface AuditEntry {
  operation: string
  userId: string
  detail: string | null
  response: string
}

const INSTALLER = 'plugin-installer'
const roles = {
  roles: {
    [INSTALLER]: {
      rules: [
        {
          effect: 'allow',
          operations: ['planChange', 'applyPlan', 'getPlan', 'listPlans', 'searchPlugins'],
          packages: ['@vendor/*'],
        },
      ],
    },
  },
}
const withEndpoint = {
  type: 'object',
  additionalProperties: false,
  required: ['endpoint'],
  properties: { endpoint: { type: 'string', description: 'URL of the cloud' } },
}

const site = runMarket({
  publish: [
    vendorVersion({ version: '1.0.0' }),
    vendorVersion({ version: '2.0.0', config: withEndpoint }),
    vendorVersion({ name: '@other/cloud', version: '1.0.0' }),
  ],
  settings: { roles },
})

test('a role may install the packages of one scope and nothing else', async () => {
  addUser(site.process, 'ida', [INSTALLER])
  addUser(site.process, 'uwe', [])
  const [ida, uwe] = await Promise.all(['ida', 'uwe'].map(logIn))
  assert.ok(ida && uwe)
  await assert.rejects(uwe.plan({ action: 'install', source: `${vendorCloud}@1.0.0` }), {
    status: 403,
  })
  await assert.rejects(ida.plan({ action: 'install', source: '@other/cloud@1.0.0' }), {
    status: 403,
  })
  await assert.rejects(ida.post('revocations', revocationOf('@other/cloud')), { status: 403 })
  const generation = await ida.install('1.0.0', { reason: 'wanted by the physicists' })
  assert.deepEqual(generation.by, { id: 'ida@site-a.test', reason: 'wanted by the physicists' })
  const others = await site.market.plan({ action: 'install', source: '@other/cloud@1.0.0' })
  await assert.rejects(ida.apply(others), { status: 403 }, 'a plan of somebody else')
})

test('the audit says who did what with which versions and why, also of what was refused', async () => {
  const rows = await until(audit, (entries) =>
    entries.some(({ operation }) => operation === 'applyPlan'),
  )
  const applied = rows.find(
    ({ operation, response }) => operation === 'applyPlan' && response === 'ok',
  )
  assert.equal(applied?.userId, 'ida')
  assert.match(
    applied?.detail ?? '',
    /@vendor\/cloud none → 1\.0\.0.*because: wanted by the physicists/,
  )
  const refused = rows.find(
    ({ operation, userId }) => operation === 'planChange' && userId === 'uwe',
  )
  assert.notEqual(refused?.response, 'ok')
  assert.match(refused?.detail ?? '', /install @vendor\/cloud@1\.0\.0/)
})

test('a plugin that open orders need is neither removed nor taken out of the configuration', async () => {
  const { market, process } = site
  const ids = [await market.order(), await market.order()].sort()
  await Promise.all(ids.map(market.ready))
  const removal = { action: 'remove', package: vendorCloud }
  const named = (error: Error) => ids.every((id) => error.message.includes(id))
  await assert.rejects(market.plan(removal), named)
  const removed = await site.cli(['plugin', 'remove', vendorCloud])
  assert.equal(removed.code, 1)
  for (const id of ids) assert.ok(removed.stderr.includes(id), removed.stderr)

  const without = JSON.parse(site.config.slice('export default '.length))
  delete without.plugins.vendor
  delete without.clouds.vendor
  const file = join(process.folder, 'fogbow.config.ts')
  writeFileSync(file, `export default ${JSON.stringify(without)}\n`)
  const reload = await market.client.post('/ras/admin/reload')
  writeFileSync(file, site.config)
  assert.notEqual(reload.status, 200)
  assert.ok(named(new Error(JSON.stringify(reload.body))), JSON.stringify(reload.body))
  assert.equal(await market.answeredBy(), '1.0.0')
})

test('a version that needs a setting which nobody made is refused by its name, and goes in together with it', async () => {
  const { market } = site
  const plan = await market.plan({ action: 'install', source: `${vendorCloud}@2.0.0` })
  assert.deepEqual(plan.changes[0]?.settings[0]?.missing, ['endpoint'])
  assert.match(plan.refusals.join(), /Settings of 'vendor'.*endpoint/)
  const settings = { vendor: { config: { endpoint: 'https://cloud.example' } } }
  await market.install('2.0.0', { settings })
  assert.equal(await market.answeredBy(), '2.0.0')
  const [present] = await market.generations()
  assert.equal(present?.plugins.find(({ name }) => name === vendorCloud)?.version, '2.0.0')
  await assert.rejects(
    market.change({
      action: 'configure',
      instance: 'vendor',
      settings: { config: { endpoint: 7 } },
    }),
    /endpoint must be string/,
  )
  await market.change({
    action: 'configure',
    instance: 'vendor',
    settings: { config: { endpoint: 'https://other.example' } },
  })
  assert.deepEqual(await market.drift(), [])
})

test('the audit also says who configured, rolled back and revoked what, and why', async () => {
  const { market, cli } = site
  const settings = { config: { endpoint: 'https://third.example' } }
  const configure = { action: 'configure', instance: 'vendor', settings, reason: 'it moved' }
  await market.change(configure)
  const [, before] = await market.generations()
  const back = ['plugin', 'rollback', String(before?.number), '--yes', '--reason', 'it moved back']
  const rolled = await cli(back)
  assert.equal(rolled.code, 0, rolled.stderr)
  const withdrawn = { package: '@other/cloud', versions: '*' }
  await market.post('revocations', revocationOf('@other/cloud'))
  await market.post('revocations/withdraw', withdrawn)
  const expected: [string, RegExp][] = [
    ['applyPlan', /^configure vendor; because: it moved$/],
    ['applyPlan', new RegExp(`^rollback to ${before?.number}; because: it moved back$`)],
    ['revokePackage', /^revoke @other\/cloud@\*: somebody said so$/],
    ['withdrawRevocation', /^withdraw the revocation of @other\/cloud@\*$/],
  ]
  const isThere = (entries: AuditEntry[], [operation, detail]: [string, RegExp]) =>
    entries.some(
      (one) =>
        one.operation === operation && one.userId === 'admin' && detail.test(one.detail ?? ''),
    )
  const rows = await until(audit, (entries) => expected.every((one) => isThere(entries, one)))
  assert.ok(rows.every(({ response }) => response !== ''))
})

test('a policy with a mistake refuses to be read, and the policy before goes on', async () => {
  const { market, process } = site
  const file = join(process.folder, 'fogbow.config.ts')
  const wrong = marketConfig({
    registry: site.registry.url,
    roles,
    policy: { deny: ['@evil/*/*'] },
  })
  writeFileSync(file, wrong)
  const reload = await market.client.post('/ras/admin/reload')
  assert.equal(reload.status, 409, JSON.stringify(reload.body))
  assert.match(JSON.stringify(reload.body), /marketplace\.policy\.deny\[0\]/)
  const atShell = await site.cli(
    ['plugin', 'install', '@other/cloud@1.0.0', '--data-dir', join(process.folder, 'data')],
    {
      env: { FOGBOW_CONFIG: file },
    },
  )
  assert.equal(atShell.code, 1)
  assert.match(atShell.stderr, /marketplace\.policy\.deny\[0\]/)
  writeFileSync(file, site.config)
})

async function audit(): Promise<AuditEntry[]> {
  const { body } = await site.market.client.get('/ras/admin/audit?limit=200')
  return body as AuditEntry[]
}

async function logIn(name: string): Promise<Market> {
  const client = site.process.client()
  await client.login(name, 'a-password-of-a-user')
  return new Market(client)
}

function revocationOf(name: string) {
  return { package: name, versions: '*', action: 'warn', reason: 'somebody said so' }
}
