import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { packed } from '../../registry/fixtures/packages.ts'
import { runMarket, until } from './support/market-site.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'

const site = runMarket({
  publish: [
    vendorVersion({ version: '1.0.0' }),
    vendorVersion({
      version: '1.1.0',
      capabilities: { network: ['https://api.vendor.example:443'] },
    }),
    vendorVersion({ version: '2.0.0', sdk: '^9.0.0' }),
  ],
  settings: { marketplace: { drainMs: 500 } },
})

test('an administrator finds, reads about, plans and applies a plugin that strangers published', async () => {
  const { market } = site
  const absent = await market.plugin('vendor')
  assert.notEqual(absent.state, 'ready')
  assert.match(
    absent.reason ?? '',
    /not installed; install it with: fogbow plugin install @vendor\/cloud/,
  )

  const found = await market.get<{ items: Record<string, unknown>[]; problems: unknown[] }>(
    'search?text=networks&kind=network',
  )
  assert.deepEqual(found.problems, [])
  const [item] = found.items
  assert.equal(item?.name, vendorCloud)
  assert.equal(item?.version, '1.1.0', 'the newest that suits')
  assert.equal(item?.newest, '2.0.0')
  assert.match(String(item?.unsuitable), /\^9\.0\.0/)

  const about = await market.get<Record<string, unknown>>(
    `packages/${encodeURIComponent(vendorCloud)}`,
  )
  assert.match(String(about.readme), /Networks and images/)
  assert.match(String(about.changelog), /Better than before/)
  assert.equal(about.license, 'MIT')

  const plan = await market.plan({ action: 'install', source: `${vendorCloud}@1.0.0` })
  assert.deepEqual(plan.refusals, [])
  assert.ok(plan.needsAcceptance.includes('level community'), String(plan.needsAcceptance))
  await assert.rejects(market.apply(plan, { accept: [] }), {
    status: 403,
    message: /level community/,
  })
  assert.notEqual((await market.plugin('vendor')).state, 'ready', 'nothing changed')

  const generation = await market.apply(plan, { reason: 'the vendor asked for a trial' })
  assert.deepEqual(generation.by, {
    id: 'admin@site-a.test',
    reason: 'the vendor asked for a trial',
  })
  assert.equal(await market.answeredBy(), '1.0.0')
  const shown = JSON.parse((await site.cli(['plugin', 'show', 'vendor', '--json'])).stdout)
  assert.equal(shown.isolationChoice.wanted, 'process', 'nobody answers for it')
  const order = await market.order()
  await market.ready(order)
})

test('an upgrade that wants more than before needs a new acceptance, by name and at the command line', async () => {
  const refused = await site.cli(['plugin', 'upgrade', vendorCloud])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /capability network https:\/\/api\.vendor\.example:443/)
  assert.match(refused.stderr, /fogbow plugin apply [0-9a-f]{12} --yes/)
  assert.equal(await site.market.answeredBy(), '1.0.0', 'nothing changed')

  const right = 'capability network https://api.vendor.example:443'
  const applied = await site.cli([
    'plugin',
    'upgrade',
    vendorCloud,
    '--accept',
    right,
    '--reason',
    'it is faster',
    '--json',
  ])
  assert.equal(applied.code, 0, applied.stderr)
  const { generation } = JSON.parse(applied.stdout) as { generation: { change: string } }
  assert.match(generation.change, /1\.1\.0/)
  assert.equal(await site.market.answeredBy(), '1.1.0')
})

test('command line, REST, lock file and what runs say the same, and there is no drift', async () => {
  const { market, cli } = site
  const [present] = await market.generations()
  const installed = present?.plugins.find(({ name }) => name === vendorCloud)
  assert.equal(installed?.version, '1.1.0')

  const overRest = await market.plugin('vendor')
  const shown = JSON.parse((await cli(['plugin', 'show', 'vendor', '--json'])).stdout)
  assert.equal(shown.version, '1.1.0')
  assert.equal(shown.bundleHash, installed?.hash)
  assert.equal(overRest.bundleHash, installed?.hash)

  const listed = JSON.parse((await cli(['plugin', 'generations', '--json'])).stdout)
  assert.equal(listed[0].number, present?.number)

  const lock = JSON.parse(
    readFileSync(join(site.process.folder, 'data/plugins/plugins.lock.json'), 'utf8'),
  )
  assert.equal(lock.generation.number, present?.number)
  assert.equal(lock.plugins[vendorCloud].hash, installed?.hash)

  assert.deepEqual(await market.drift(), [])
  assert.equal((await cli(['plugin', 'drift'])).stdout.trim(), 'No difference')
})

test('a site that is started again runs what was installed, without its registry', async () => {
  await site.registry.stop()
  await site.killAndRestart()
  assert.equal(await site.market.answeredBy(), '1.1.0')
  assert.deepEqual(await site.market.drift(), [])
})

test('what an administrator installs at a shell of the machine shows as drift, and a reload takes it up', async () => {
  const { folder } = site.process
  const file = join(folder, '1.2.0.tgz')
  writeFileSync(file, packed(vendorVersion({ version: '1.2.0' })))
  const installed = await site.cli(
    ['plugin', 'install', file, '--yes', '--data-dir', join(folder, 'data')],
    { env: { FOGBOW_CONFIG: join(folder, 'fogbow.config.ts') } },
  )
  assert.equal(installed.code, 0, installed.stderr)
  const [drift] = await site.market.drift()
  assert.equal(drift?.kind, 'other version runs')
  assert.match(drift?.message ?? '', /runs 1\.1\.0, and 1\.2\.0 is installed/)
  const reloaded = await site.cli(['reload'])
  assert.equal(reloaded.code, 0, reloaded.stderr)
  assert.equal(await site.market.answeredBy(), '1.2.0')
  assert.deepEqual(await site.market.drift(), [])
})

test('an older generation whose file is damaged is shown, cannot be gone back to, and hinders nothing', async () => {
  const { market, cli, process } = site
  const [present, before, older] = await market.generations()
  assert.ok(present && before && older)
  const file = join(process.folder, 'data/plugins/generations', `${before.number}.json`)
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 300))
  const listed = await cli(['plugin', 'generations'])
  assert.equal(listed.code, 0, listed.stderr)
  assert.match(
    listed.stdout,
    new RegExp(`\n${before.number} +unknown +cannot be read +.*cannot be used`),
  )
  const drift = await cli(['plugin', 'drift'])
  assert.match(drift.stdout, new RegExp(`damaged generation +generation ${before.number} `))
  const back = await cli(['plugin', 'rollback', '--yes'])
  assert.equal(back.code, 1)
  assert.match(back.stderr, new RegExp(`is damaged[^]*fogbow plugin rollback ${older.number}`))
  await assert.rejects(market.plan({ action: 'rollback', generation: before.number }), {
    message: /cannot be used/,
  })
  const upgraded = join(process.folder, '1.3.0.tgz')
  writeFileSync(upgraded, packed(vendorVersion({ version: '1.3.0' })))
  const installed = await cli(['plugin', 'install', upgraded, '--yes'])
  assert.equal(installed.code, 0, installed.stderr)
  assert.equal(await market.answeredBy(), '1.3.0')
  const rolled = await cli(['plugin', 'rollback', String(present.number), '--yes'])
  assert.equal(rolled.code, 0, rolled.stderr)
  assert.equal(await market.answeredBy(), '1.2.0')
})

test('a call that an old version never answers ends at the deadline of its drain, and new ones are served meanwhile', async () => {
  const { market, process } = site
  const held = market.answeredBy('held')
  const outcome = held.then(
    () => 'answered',
    () => 'ended',
  )
  await until(
    async () => (await market.plugin('vendor')) as unknown as { usage: { inFlight: number } },
    ({ usage }) => usage.inFlight === 1,
  )
  const file = join(process.folder, '1.4.0.tgz')
  writeFileSync(file, packed(vendorVersion({ version: '1.4.0' })))
  await market.change({ action: 'install', source: file })
  assert.equal(await market.answeredBy(), '1.4.0')
  assert.equal(await outcome, 'ended')
})
