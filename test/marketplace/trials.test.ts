import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { addUser } from '../system/rest/run-site.ts'
import type { Client } from '../system/support/client.ts'
import { official, runMarket, until } from './support/market-site.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'

interface TrialView {
  plugin: string
  present: string
  tried: string
  of: object
  startedBy: string
  counts: { present: { calls: number }; tried: { calls: number; failures: number } }
}

const site = runMarket({
  publish: [
    vendorVersion({ version: '1.0.0' }),
    vendorVersion({ version: '1.1.0' }),
    vendorVersion({ version: '1.2.0' }),
    vendorVersion({ version: '1.3.0', atOrder: `throw new Error('mislaid the order')` }),
    vendorVersion({ version: '1.4.0' }),
  ],
  settings: {
    marketplace: { trial: { minutes: 0, calls: 60 } },
    plugins: {
      accounts: {
        package: official('per-user-account'),
        config: {
          accounts: { ann: { project: 'physics' }, everybody: { project: 'chemistry' } },
          fallback: 'everybody',
        },
        secrets: { accounts: 'env:ACCOUNTS' },
      },
    },
    mapper: 'accounts',
  },
  env: { ACCOUNTS: JSON.stringify({ ann: 'of ann', everybody: 'of everybody' }) },
})

const trials = () => site.market.get<TrialView[]>('trials')
async function tryOut(version: string, trial: object): Promise<void> {
  const plan = await site.market.plan({ action: 'install', source: `${vendorCloud}@${version}` })
  await site.market.apply(plan, { trial })
}

test('only the new orders of one user go to the version that is tried out, also after a kill of the site', async () => {
  const { market, cli } = site
  await market.install('1.0.0')
  addUser(site.process, 'ann', [])
  const ann = await logIn('ann')
  const started = await cli([
    ...['plugin', 'install', `${vendorCloud}@1.1.0`],
    ...['--trial', 'user=ann@site-a.test', '--yes', '--json'],
  ])
  assert.equal(started.code, 0, started.stderr)
  const [trial] = await trials()
  assert.deepEqual(
    { present: trial?.present, tried: trial?.tried, of: trial?.of, by: trial?.startedBy },
    { present: '1.0.0', tried: '1.1.0', of: { user: 'ann@site-a.test' }, by: 'admin@site-a.test' },
  )
  assert.equal(await market.orderedFrom(ann), '1.1.0')
  assert.equal(await market.orderedFrom(), '1.0.0')
  assert.equal((await market.generations())[0]?.plugins.find(isVendor)?.version, '1.0.0')

  await site.killAndRestart()
  assert.equal((await trials())[0]?.tried, '1.1.0')
  assert.equal(await site.market.orderedFrom(await logIn('ann')), '1.1.0')
  assert.equal(await site.market.orderedFrom(), '1.0.0')
})

test('a second trial of the plugin is refused while one goes on', async () => {
  const plan = await site.market.plan({ action: 'install', source: `${vendorCloud}@1.2.0` })
  await assert.rejects(site.market.apply(plan, { trial: { share: 0.5 } }), {
    message: /being tried out already/,
  })
})

test('an administrator ends a trial for good or for bad', async () => {
  const { market, cli } = site
  const reverted = await cli(['plugin', 'revert', 'vendor', '--reason', 'not now'])
  assert.equal(reverted.code, 0, reverted.stderr)
  assert.deepEqual(await trials(), [])
  assert.equal(await market.orderedFrom(await logIn('ann')), '1.0.0')

  await tryOut('1.1.0', { share: 1 })
  assert.equal(await market.orderedFrom(), '1.1.0')
  const promoted = await cli(['plugin', 'promote', 'vendor'])
  assert.equal(promoted.code, 0, promoted.stderr)
  assert.deepEqual(await trials(), [])
  assert.equal((await market.generations())[0]?.plugins.find(isVendor)?.version, '1.1.0')
  assert.equal(await market.answeredBy(), '1.1.0')
  assert.equal((await market.plugin('vendor')).version, '1.1.0')
})

test('the audit says who ended a trial, how and why', async () => {
  const rows = await until(
    async () =>
      (await site.market.client.get('/ras/admin/audit?limit=50')).body as {
        operation: string
        userId: string
        detail: string
        response: string
      }[],
    (entries) => entries.filter(({ operation }) => operation === 'decideTrial').length === 2,
  )
  const ended = rows.filter(({ operation }) => operation === 'decideTrial')
  assert.deepEqual(
    ended.map(({ detail, response }) => [detail, response]),
    [
      ['promote vendor', 'ok'],
      ['revert vendor; because: not now', 'ok'],
    ],
  )
  assert.ok(ended.every(({ userId }) => userId === ended[0]?.userId && userId !== null))
})

test('only the new orders of one project of the cloud go to the version that is tried out', async () => {
  const { market } = site
  await tryOut('1.4.0', { project: 'physics' })
  assert.deepEqual((await trials())[0]?.of, { project: 'physics' })
  const ann = await logIn('ann')
  assert.equal(await market.orderedFrom(ann), '1.4.0')
  assert.equal(await market.orderedFrom(), '1.1.0', 'the administrator is in another project')
  await site.cli(['plugin', 'revert', 'vendor'])
  assert.equal(await market.orderedFrom(ann), '1.1.0')
})

test('a share of all new orders goes to the version that is tried out, and each order stays where it is', async () => {
  const { market } = site
  await tryOut('1.4.0', { share: 0.25 })
  const ids: string[] = []
  const isTried = (id: string) => Number.parseInt(hash('sha256', id).slice(0, 8), 16) < 2 ** 30
  await until(
    async () => {
      ids.push(await market.order())
      return ids.map(isTried)
    },
    (sides) => sides.length >= 12 && sides.includes(true) && sides.includes(false),
  )
  for (const id of ids) {
    const { cloudState } = await market.ready(id)
    assert.equal(cloudState, `made by ${isTried(id) ? '1.4.0' : '1.1.0'}`)
  }
  const tried = ids.filter(isTried).length
  const [trial] = await trials()
  assert.ok((trial?.counts.tried.calls ?? 0) >= tried, JSON.stringify(trial))
  assert.equal(trial?.counts.tried.failures, 0)
  const listed = await site.cli(['plugin', 'trials'])
  assert.match(listed.stdout, /vendor +1\.1\.0 +1\.4\.0 +share=0\.25 /)
  await site.cli(['plugin', 'revert', 'vendor'])
})

test('a version that does as well as the present one takes over by itself', async () => {
  const { market } = site
  await tryOut('1.2.0', { share: 0.5 })
  await until(
    async () => {
      await market.orderedFrom()
      return (await market.generations())[0]
    },
    (present) => present?.plugins.find(isVendor)?.version === '1.2.0',
  )
  await until(trials, (open) => open.length === 0)
  assert.match((await market.generations())[0]?.by.reason ?? '', /trial passed/)
  assert.equal(await market.answeredBy(), '1.2.0')
})

test('a version whose calls fail is taken away by itself, and its orders are served all the same', async () => {
  const { market } = site
  await tryOut('1.3.0', { share: 0.5 })
  const [before] = await market.generations()
  const ids: string[] = []
  await until(
    async () => {
      ids.push(await market.order())
      return trials()
    },
    (open) => open.length === 0,
  )
  assert.equal((await market.generations())[0]?.number, before?.number)
  assert.equal(await market.orderedFrom(), '1.2.0')
  const ends = await Promise.all(
    ids.map((id) => market.client.until(`/ras/networks/${id}`, 'READY', 'FAILED')),
  )
  assert.ok(ends.some(({ state }) => state === 'READY'))
})

const isVendor = ({ name }: { name: string }) => name === vendorCloud

async function logIn(name: string): Promise<Client> {
  const client = site.process.client()
  await client.login(name, 'a-password-of-a-user')
  return client
}
