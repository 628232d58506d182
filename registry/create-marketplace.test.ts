import assert from 'node:assert/strict'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { alice, applied, installed, newMarketplace, refusing } from './fixtures/marketplace.ts'
import { npmRegistry } from './fixtures/npm-registry.ts'
import { newRegistry, packed, plugin, temporaryFolder, writeFiles } from './fixtures/packages.ts'
import type { HeededRevocation, Verdict } from './marketplace.ts'

const name = 'vendor-plugin'

async function tarballOf(t: TestContext, answer: string, fields: object = {}, manifest = {}) {
  const path = join(await temporaryFolder(t), 'plugin.tgz')
  await writeFile(path, packed(plugin(answer, fields, manifest)))
  return path
}

test('a plan changes nothing, says what has to be accepted, and is applied without its source', async (t) => {
  const { marketplace, directory } = await newMarketplace(t)
  const capabilities = { network: ['https://api.example:443'], secrets: ['password'] }
  const source = await tarballOf(t, 'new', { license: 'MIT' }, { capabilities })
  const plan = await marketplace.plan({ action: 'install', source }, alice)
  assert.deepEqual((await marketplace.current()).plugins, [])
  await assert.rejects(readFile(join(directory, 'plugins.lock.json')), { code: 'ENOENT' })
  assert.match(plan.id, /^[0-9a-f]{64}$/)
  assert.equal(plan.base, 0)
  assert.deepEqual(plan.refusals, [])
  assert.deepEqual(plan.needsAcceptance, [
    'capability network https://api.example:443',
    'capability secret password',
    'license MIT',
    'level local',
  ])
  assert.deepEqual(await marketplace.plans(), [plan])

  await rm(source)
  const generation = await applied(marketplace, plan)
  assert.equal(generation.number, 1)
  assert.deepEqual(generation.by, alice)
  assert.equal(generation.change, 'install vendor-plugin@1.0.0')
  assert.deepEqual(await marketplace.current(), generation)
  assert.deepEqual(await marketplace.plans(), [])
  const [locked] = generation.plugins
  assert.deepEqual(locked?.accepted.rights, plan.needsAcceptance)
  assert.equal(locked?.accepted.by, 'alice')
  const { registry } = await newRegistry(t, { directory })
  assert.match((await registry.load(name)).bundle.code, /new/)
})

test('what was not accepted is named, and nothing happens', async (t) => {
  const { marketplace } = await newMarketplace(t)
  const source = await tarballOf(t, 'new', { license: 'MIT' })
  const plan = await marketplace.plan({ action: 'install', source }, alice)
  await assert.rejects(marketplace.apply(plan.id, ['license MIT', 'level official'], alice), {
    code: 'unauthorized',
    message: /needs to have accepted: level local$/,
  })
  assert.equal((await marketplace.current()).number, 0)
  assert.equal((await applied(marketplace, plan)).number, 1)
})

test('an upgrade needs acceptance of what is new in rights, and of nothing else', async (t) => {
  const { marketplace } = await newMarketplace(t)
  const before = { capabilities: { network: ['a.example', 'b.example'], storage: true } }
  const after = { capabilities: { network: ['b.example', 'c.example'] } }
  await installed(marketplace, await tarballOf(t, 'old', { license: 'MIT' }, before))
  const source = await tarballOf(t, 'new', { version: '1.1.0', license: 'Apache-2.0' }, after)
  const plan = await marketplace.plan({ action: 'install', source }, alice)
  assert.deepEqual(plan.needsAcceptance, ['capability network c.example', 'license Apache-2.0'])
  const [change] = plan.changes
  assert.deepEqual(change?.capabilities, {
    added: ['network c.example'],
    dropped: ['network a.example', 'storage'],
  })
  assert.deepEqual(change?.license, { from: 'MIT', to: 'Apache-2.0' })
  await applied(marketplace, plan)
  const same = { license: 'Apache-2.0', version: '1.2.0' }
  const next = await tarballOf(t, 'newer', same, after)
  const quiet = await marketplace.plan({ action: 'install', source: next }, alice)
  assert.deepEqual(quiet.needsAcceptance, [])
})

test('an older version is only taken when it is named, and its being older accepted', async (t) => {
  const npm = await npmRegistry(t, [plugin('old'), plugin('new', { version: '1.2.0' })])
  const { marketplace } = await newMarketplace(t, { npm: { registry: npm.registry } })
  await installed(marketplace, name)
  assert.equal((await marketplace.current()).plugins[0]?.version, '1.2.0')
  const upgrade = await marketplace.plan({ action: 'upgrade' }, alice)
  assert.deepEqual(upgrade.changes, [])
  assert.match(upgrade.refusals.join(), /Nothing to upgrade: .*1\.2\.0 is the newest that suits/)
  await assert.rejects(applied(marketplace, upgrade), { code: 'unacceptable_operation' })

  const back = await marketplace.plan({ action: 'install', source: `${name}@1.0.0` }, alice)
  assert.deepEqual(back.needsAcceptance, ['downgrade 1.2.0 → 1.0.0'])
  await applied(marketplace, back)
  assert.equal((await marketplace.current()).plugins[0]?.version, '1.0.0')
})

test('a version that is only too young is passed over for the newest that is not', async (t) => {
  const npm = await npmRegistry(t, [
    plugin('1.0'),
    plugin('1.1', { version: '1.1.0' }),
    plugin('1.2', { version: '1.2.0' }),
  ])
  const young = new Set(['1.2.0'])
  const judge = async ({ version }: { version: string }): Promise<Verdict> =>
    young.has(version)
      ? refusing('minimum-age', 'It is younger than 24 hours')
      : { level: 'community', checks: [], refusals: [] }
  const { marketplace } = await newMarketplace(t, { npm: { registry: npm.registry }, judge })
  await installed(marketplace, `${name}@1.0.0`)
  const plan = await marketplace.plan({ action: 'upgrade', package: name }, alice)
  assert.equal(plan.changes[0]?.to?.version, '1.1.0')
  assert.deepEqual(plan.refusals, [])
  assert.match(plan.notes.join(), /vendor-plugin@1\.2\.0 is left out: It is younger than 24 hours/)

  young.add('1.1.0')
  const none = await marketplace.plan({ action: 'upgrade', package: name }, alice)
  assert.match(none.refusals.join(), /vendor-plugin@1\.2\.0: It is younger than 24 hours; wait/)
  const all = await marketplace.plan({ action: 'upgrade' }, alice)
  assert.deepEqual(all.changes, [])
})

test('a version that is refused for more than its age is not passed over in silence', async (t) => {
  const npm = await npmRegistry(t, [plugin('1.0'), plugin('1.1', { version: '1.1.0' })])
  const judge = async ({ version }: { version: string }): Promise<Verdict> =>
    version === '1.1.0'
      ? refusing('revocation', 'It was revoked')
      : { level: 'community', checks: [], refusals: [] }
  const { marketplace } = await newMarketplace(t, { npm: { registry: npm.registry }, judge })
  const plan = await marketplace.plan({ action: 'install', source: name }, alice)
  assert.equal(plan.changes[0]?.to?.version, '1.1.0')
  assert.match(plan.refusals.join(), /vendor-plugin@1\.1\.0: It was revoked; wait/)
  await assert.rejects(applied(marketplace, plan), {
    code: 'unacceptable_operation',
    message: /cannot be applied: vendor-plugin@1\.1\.0: It was revoked/,
  })
})

test('the newest version that suits the SDK of the site is taken', async (t) => {
  const npm = await npmRegistry(t, [
    plugin('suits'),
    plugin('too new', { version: '2.0.0' }, { sdk: '^2.0.0' }),
  ])
  const { marketplace } = await newMarketplace(t, { npm: { registry: npm.registry } })
  await installed(marketplace, name)
  assert.equal((await marketplace.current()).plugins[0]?.version, '1.0.0')
  const exact = marketplace.plan({ action: 'install', source: `${name}@2.0.0` }, alice)
  await assert.rejects(exact, /asks for SDK \^2\.0\.0, but this site has 0\.1\.0/)
})

test('what came from one registry does not come from another before that is accepted', async (t) => {
  const internal = await npmRegistry(t, [plugin('ours', { name: '@corp/cloud' })])
  const everyone = await npmRegistry(t, [
    plugin('theirs', { name: '@corp/cloud', version: '99.0.0' }),
  ])
  const directory = await temporaryFolder(t)
  const open = (scopes: string[]) =>
    newMarketplace(t, {
      directory,
      npm: { registry: everyone.registry },
      registries: { internal: { url: internal.registry, scopes } },
    })
  const { marketplace } = await open(['@corp'])
  await installed(marketplace, '@corp/cloud')
  assert.equal((await marketplace.current()).plugins[0]?.registry, 'internal')
  assert.deepEqual(everyone.requests, [])

  // The scope was taken out of the configuration: the package stays with the registry that it came from.
  const later = (await open(['@other'])).marketplace
  const upgrade = await later.plan({ action: 'upgrade' }, alice)
  assert.deepEqual(upgrade.changes, [])
  const again = await later.plan({ action: 'install', source: '@corp/cloud' }, alice)
  assert.equal(again.changes[0]?.to?.version, '1.0.0')
  assert.deepEqual(everyone.requests, [])

  const unasked = await newRegistry(t, { directory, npm: { registry: everyone.registry } })
  await assert.rejects(unasked.registry.install('@corp/cloud'), {
    code: 'configuration_error',
    message: /came from registry 'internal' and would come from 'npm' now/,
  })
  const moved = { action: 'install', source: '@corp/cloud', registry: 'npm' } as const
  const plan = await later.plan(moved, alice)
  assert.deepEqual(plan.needsAcceptance, ['registry internal → npm'])
  const unknown = later.plan({ ...moved, registry: 'nowhere' }, alice)
  await assert.rejects(unknown, {
    code: 'invalid_parameter',
    message: "registry: 'nowhere' is not configured; there is npm, internal",
  })
})

test('a registry that sends other bytes under a version that is known is not believed', async (t) => {
  const npm = await npmRegistry(t, [plugin('honest')])
  const { marketplace } = await newMarketplace(t, { npm: { registry: npm.registry } })
  await installed(marketplace, name)
  npm.publish(plugin('exchanged'))
  const plan = await marketplace.plan({ action: 'install', source: name }, alice)
  assert.match(
    plan.refusals.join(),
    /vendor-plugin@1\.0\.0 was sha512-.* a version must not change/,
  )
  await assert.rejects(applied(marketplace, plan), { code: 'unacceptable_operation' })
})

test('a dependency whose bytes were exchanged under the same version is not believed', async (t) => {
  const helper = (answer: string) => ({
    'package.json': '{"name":"helper","version":"1.0.0","license":"ISC"}',
    'index.js': `exports.answer = '${answer}'`,
  })
  const using = (version: string) => ({
    ...plugin('', { version, dependencies: { helper: '^1.0.0' } }),
    'answer.js': `export { answer } from 'helper'`,
  })
  const npm = await npmRegistry(t, [helper('honest'), using('1.0.0')])
  const { marketplace } = await newMarketplace(t, { npm: { registry: npm.registry } })
  await installed(marketplace, name)
  const [component] = (await marketplace.current()).plugins[0]?.components ?? []
  assert.equal(component?.name, 'helper')
  assert.equal(component?.license, 'ISC')
  npm.publish(helper('exchanged'))
  npm.publish(using('1.1.0'))
  const plan = await marketplace.plan({ action: 'upgrade' }, alice)
  assert.match(plan.refusals.join(), /helper@1\.0\.0 was sha512-.* a version must not change/)
  assert.equal(plan.changes[0]?.components.changed.length, 1)
})

test('a registry cannot pass off one package as another', async (t) => {
  const npm = await npmRegistry(t, [])
  npm.publish(plugin('x'), { bytes: packed(plugin('y', { name: 'other-plugin' })) })
  const { marketplace } = await newMarketplace(t, { npm: { registry: npm.registry } })
  await assert.rejects(marketplace.plan({ action: 'install', source: name }, alice), {
    code: 'configuration_error',
    message: /vendor-plugin@1\.0\.0 was asked for, and its package\.json says other-plugin@1\.0\.0/,
  })
})

test('a plan made for another generation than the present is refused, naming both', async (t) => {
  const { marketplace } = await newMarketplace(t)
  const first = await tarballOf(t, 'a', { name: 'a-plugin' })
  const second = await tarballOf(t, 'b', { name: 'b-plugin' })
  const a = await marketplace.plan({ action: 'install', source: first }, alice)
  const b = await marketplace.plan({ action: 'install', source: second }, alice)
  const done = await Promise.allSettled([applied(marketplace, a), applied(marketplace, b)])
  assert.equal(done[0].status, 'fulfilled')
  assert.match(
    String((done[1] as PromiseRejectedResult).reason),
    /was made for generation 0, and 1 is the present one; plan again/,
  )
  assert.deepEqual(await applied(marketplace, a), await marketplace.current())
})

test('a plan whose file was changed is never applied', async (t) => {
  const { marketplace, directory } = await newMarketplace(t)
  const source = await tarballOf(t, 'x')
  const plan = await marketplace.plan({ action: 'install', source }, alice)
  const path = join(directory, 'plans', `${plan.id}.json`)
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace('"license not stated",', ''))
  await assert.rejects(applied(marketplace, plan), {
    code: 'configuration_error',
    message: /was changed after the plan was made; discard it and plan again/,
  })
  assert.deepEqual(await marketplace.plans(), [])
  await marketplace.discardPlan(plan.id)
  await assert.rejects(marketplace.findPlan(plan.id), { code: 'not_found' })
  assert.deepEqual(await readdir(join(directory, 'store')), [])
})

test('plans expire, and their bundles go with them', async (t) => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const clock = { now: () => now }
  const { marketplace, directory } = await newMarketplace(t, { clock, keepGenerations: 1 })
  const old = await marketplace.plan({ action: 'install', source: await tarballOf(t, 'x') }, alice)
  now += 7 * 86_400_000 + 1
  await assert.rejects(applied(marketplace, old), {
    code: 'not_found',
    message: /is older than 7 days; plan again/,
  })
  const source = await tarballOf(t, 'y', { name: 'other-plugin' })
  const { plugins } = await installed(marketplace, source)
  assert.deepEqual(await readdir(join(directory, 'store')), [plugins[0]?.hash])
})

test('what was revoked, or is trusted otherwise, since the plan was made is not applied', async (t) => {
  let verdict: Verdict = { level: 'verified', publisher: 'vendor', checks: [], refusals: [] }
  const { marketplace } = await newMarketplace(t, { judge: async () => verdict })
  const source = await tarballOf(t, 'x')
  const plan = await marketplace.plan({ action: 'install', source }, alice)
  let isStarted = false
  const apply = () =>
    marketplace.apply(plan.id, plan.needsAcceptance, alice, async () => {
      isStarted = true
    })
  verdict = refusing('revocation', 'It was revoked')
  await assert.rejects(apply(), /cannot be applied any more: vendor-plugin@1\.0\.0: It was revoked/)
  verdict = { level: 'local', checks: [], refusals: [] }
  await assert.rejects(apply(), /was made when vendor-plugin was trusted otherwise; plan again/)
  assert.equal(isStarted, false)
  assert.equal((await marketplace.current()).number, 0)
})

test('when what must be ready before is not, nothing is changed and the plan still waits', async (t) => {
  const { marketplace } = await newMarketplace(t)
  const plan = await marketplace.plan({ action: 'install', source: await tarballOf(t, 'x') }, alice)
  const fail = async () => {
    throw new Error('the new version does not start')
  }
  const rights = plan.needsAcceptance
  await assert.rejects(marketplace.apply(plan.id, rights, alice, fail), /does not start/)
  assert.equal((await marketplace.current()).number, 0)
  let seen: string | undefined
  await marketplace.apply(plan.id, rights, alice, async ({ changes: [change] }) => {
    const to = change?.to
    seen = to && (await marketplace.bundleOf(to)).code
  })
  assert.match(seen ?? '', /"x"/)
  assert.equal((await marketplace.current()).number, 1)
})

test('one step goes back to any kept generation, with its settings, and is a generation itself', async (t) => {
  const { marketplace, directory } = await newMarketplace(t)
  const widely = { capabilities: { network: ['a.example'] } }
  await installed(marketplace, await tarballOf(t, 'first', {}, widely))
  const settings = { package: name, config: { region: 'north' } }
  const configure = { action: 'configure', instance: 'cloud', settings } as const
  await applied(marketplace, await marketplace.plan(configure, alice))
  await installed(marketplace, await tarballOf(t, 'second', { version: '2.0.0' }))
  await installed(marketplace, await tarballOf(t, 'other', { name: 'other-plugin' }))
  await applied(marketplace, await marketplace.plan({ ...configure, settings: null }, alice))

  const plan = await marketplace.plan({ action: 'rollback', generation: 2 }, alice)
  assert.deepEqual(plan.needsAcceptance, [], 'all of it was accepted before')
  assert.deepEqual(
    plan.changes.map(({ from, to }) => [from?.version, to?.version]),
    [
      ['1.0.0', undefined],
      ['2.0.0', '1.0.0'],
    ],
  )
  const back = await applied(marketplace, plan)
  assert.equal(back.number, 6)
  assert.equal(back.change, 'rollback to 2')
  assert.deepEqual(back.settings, { cloud: settings })
  const { registry } = await newRegistry(t, { directory })
  assert.match((await registry.load(name)).bundle.code, /first/)
  assert.equal(await registry.find('other-plugin'), undefined)
  const numbers = (await marketplace.generations()).map(({ number }) => number)
  assert.deepEqual(numbers, [6, 5, 4, 3, 2, 1])
  const same = await marketplace.plan({ action: 'rollback', generation: 6 }, alice)
  assert.match(same.refusals.join(), /Generation 6 says the same as the present one/)
  await assert.rejects(marketplace.plan({ action: 'rollback', generation: 7 }, alice), {
    code: 'not_found',
  })
})

test('only so many generations stay, and the bundles that those name', async (t) => {
  const { marketplace, directory } = await newMarketplace(t, { keepGenerations: 2 })
  for (const version of ['1.0.0', '1.1.0', '1.2.0'])
    await installed(marketplace, await tarballOf(t, version, { version }))
  const kept = await marketplace.generations()
  assert.deepEqual(
    kept.map(({ plugins }) => plugins[0]?.version),
    ['1.2.0', '1.1.0'],
  )
  const hashes = kept.flatMap(({ plugins }) => plugins.map(({ hash }) => hash))
  assert.deepEqual((await readdir(join(directory, 'store'))).sort(), hashes.sort())
  const names = (await readdir(join(directory, 'generations'))).sort()
  assert.deepEqual(names, ['2.json', '3.json'])
})

test('a damaged older generation is named, cannot be gone back to, and hinders nothing else', async (t) => {
  const { marketplace, directory } = await newMarketplace(t)
  for (const version of ['1.0.0', '1.1.0', '1.2.0'])
    await installed(marketplace, await tarballOf(t, `code of ${version}`, { version }))
  const file = join(directory, 'generations', '2.json')
  const whole = await readFile(file, 'utf8')
  await writeFile(file, whole.slice(0, 500))

  const [present, damaged, first] = await marketplace.generations()
  assert.deepEqual([present?.number, damaged?.number, first?.number], [3, 2, 1])
  assert.match(damaged?.problem ?? '', /generations\/2\.json cannot be used: /)
  const drift = (await marketplace.drift()).filter(({ kind }) => kind === 'damaged generation')
  assert.deepEqual(
    drift.map(({ subject }) => subject),
    ['generation 2'],
  )
  const back = (generation: number) => marketplace.plan({ action: 'rollback', generation }, alice)
  await assert.rejects(back(2), { code: 'configuration_error', message: /2\.json cannot be used/ })

  await installed(marketplace, await tarballOf(t, 'code of 1.3.0', { version: '1.3.0' }))
  await applied(marketplace, await back(1))
  assert.equal((await marketplace.current()).plugins[0]?.version, '1.0.0')
  await writeFile(file, whole)
  await applied(marketplace, await back(2))
  assert.equal((await marketplace.current()).plugins[0]?.version, '1.1.0', 'its code was kept')
})

test('a generation under the number of another one is damaged', async (t) => {
  const { marketplace, directory } = await newMarketplace(t)
  for (const version of ['1.0.0', '1.1.0', '1.2.0'])
    await installed(marketplace, await tarballOf(t, `code of ${version}`, { version }))
  const folder = join(directory, 'generations')
  await writeFile(join(folder, '2.json'), await readFile(join(folder, '1.json')))
  const [, second] = await marketplace.generations()
  assert.match(second?.problem ?? '', /says that it is generation 1/)
})

test('settings are checked against the schema of the installed version, and secrets are references', async (t) => {
  const { marketplace } = await newMarketplace(t)
  const config = {
    type: 'object',
    additionalProperties: false,
    required: ['region'],
    properties: { region: { type: 'string' } },
  }
  const manifest = { config, capabilities: { secrets: ['password'] } }
  await installed(marketplace, await tarballOf(t, 'x', {}, manifest))
  const refusalsOf = async (settings: object) => {
    const request = { action: 'configure', instance: 'cloud', settings } as never
    return (await marketplace.plan(request, alice)).refusals.join()
  }
  assert.match(
    await refusalsOf({ package: name, config: { regoin: 'x' } }),
    /Settings of 'cloud' for vendor-plugin@1\.0\.0: config.*/,
  )
  const secret = await refusalsOf({ package: name, secrets: { password: 'hunter2' } })
  assert.match(secret, /secrets\.password must be a reference/)
  assert.doesNotMatch(secret, /hunter2/)
  const region = { config: { region: 'north' }, package: name }
  assert.match(
    await refusalsOf({ ...region, secrets: { key: 'env:KEY' } }),
    /secrets\.key is no secret of vendor-plugin, which asks for password/,
  )
  assert.match(await refusalsOf({ ...region, colour: 'red' }), /settings\.cloud\.colour/)
  assert.equal(await refusalsOf({ ...region, secrets: { password: 'env:PASSWORD' } }), '')
})

test('a version that needs a new setting is applied together with it', async (t) => {
  const configured = async () => ({ cloud: { package: name, config: { region: 'north' } } })
  const { marketplace } = await newMarketplace(t, { configured })
  await installed(marketplace, await tarballOf(t, 'x'))
  const config = {
    type: 'object',
    required: ['region', 'zone'],
    properties: { region: { type: 'string' }, zone: { type: 'string' } },
  }
  const source = await tarballOf(t, 'y', { version: '1.1.0' }, { config })
  const bare = await marketplace.plan({ action: 'install', source }, alice)
  assert.deepEqual(bare.changes[0]?.settings, [
    {
      instance: 'cloud',
      missing: ['zone'],
      secrets: [],
      unknown: [],
      descriptions: {},
      problem: 'config.zone is required',
    },
  ])
  assert.match(bare.refusals.join(), /config\.zone is required/)
  const settings = { cloud: { config: { zone: 'a' } } }
  const plan = await marketplace.plan({ action: 'install', source, settings }, alice)
  assert.deepEqual(plan.refusals, [])
  assert.deepEqual((await applied(marketplace, plan)).settings, settings)
})

test('what the site is made of is not removed, and what is removed comes back by a rollback', async (t) => {
  let instances: Record<string, { package: string }> = { cloud: { package: name } }
  const { marketplace } = await newMarketplace(t, { configured: async () => instances })
  await installed(marketplace, await tarballOf(t, 'x'))
  const remove = { action: 'remove', package: name } as const
  const refused = await marketplace.plan(remove, alice)
  assert.match(refused.refusals.join(), /Plugin 'cloud' of the site is made of vendor-plugin/)
  instances = {}
  const gone = await applied(marketplace, await marketplace.plan(remove, alice))
  assert.deepEqual(gone.plugins, [])
  await applied(marketplace, await marketplace.plan({ action: 'rollback', generation: 1 }, alice))
  assert.equal((await marketplace.current()).plugins[0]?.name, name)
})

test('an install without a plan is a generation too, and a lock file from before is the first one', async (t) => {
  const { registry, directory } = await newRegistry(t)
  const { marketplace } = await newMarketplace(t, { directory })
  await registry.install(await tarballOf(t, 'x'), { id: 'bob' })
  const path = join(directory, 'plugins.lock.json')
  const { generation: _, settings: __, ...lock } = JSON.parse(await readFile(path, 'utf8'))
  for (const plugin of Object.values(lock.plugins) as Record<string, unknown>[]) {
    delete plugin.trust
    delete plugin.accepted
    delete plugin.components
  }
  assert.equal((await marketplace.current()).by.id, 'bob')
  assert.equal((await marketplace.current()).change, 'install vendor-plugin@1.0.0')

  await rm(join(directory, 'generations'), { recursive: true })
  await writeFile(path, JSON.stringify({ ...lock, lockfileVersion: 1 }))
  const first = await marketplace.current()
  assert.equal(first.number, 1)
  assert.equal(first.plugins[0]?.trust.level, 'local')
  await installed(marketplace, await tarballOf(t, 'y', { version: '2.0.0' }))
  const plan = await marketplace.plan({ action: 'rollback', generation: 1 }, alice)
  assert.equal(plan.changes[0]?.to?.version, '1.0.0')
  assert.equal((await applied(marketplace, plan)).number, 3)
})

test('a weakness that nobody could be asked about is not said to be absent', async (t) => {
  const npm = await npmRegistry(t, [plugin('x')])
  const passed = { rule: 'advisories', outcome: 'passed', message: 'No weakness is known' } as const
  const judge = async (): Promise<Verdict> => ({
    level: 'community',
    checks: [passed],
    refusals: [],
  })
  const known = { id: 'A-1', package: name, severity: 'high', title: 'x', range: '*' } as const
  const outcome = async (advisories: (() => Promise<never[]>) | undefined) => {
    const { marketplace } = await newMarketplace(t, {
      judge,
      npm: { registry: npm.registry },
      ...(advisories && { advisories }),
    })
    const plan = await marketplace.plan({ action: 'install', source: name }, alice)
    return [plan.changes[0]?.verdict?.checks[0]?.outcome, plan.changes[0]?.advisories.length]
  }
  assert.deepEqual(await outcome(undefined), ['absent', 0])
  assert.deepEqual(await outcome(() => Promise.reject(new Error('offline'))), ['absent', 0])
  assert.deepEqual(await outcome(async () => []), ['passed', 0])
  assert.deepEqual(await outcome(async () => [known as never]), ['passed', 1])
})

test('drift is told between configuration, lock file, store and policy', async (t) => {
  let verdict: Verdict = { level: 'local', checks: [], refusals: [] }
  const configured = async () => ({
    cloud: { package: name, config: { region: 'south' } },
    ghost: { package: 'never-installed' },
  })
  const { marketplace, directory } = await newMarketplace(t, {
    configured,
    judge: async () => verdict,
  })
  await installed(marketplace, await tarballOf(t, 'x'))
  await installed(marketplace, await tarballOf(t, 'y', { name: 'idle-plugin' }))
  const settings = { package: name, config: { region: 'north' } }
  const request = { action: 'configure', instance: 'cloud', settings } as const
  await applied(marketplace, await marketplace.plan(request, alice))
  const kinds = async () => (await marketplace.drift()).map(({ kind, subject }) => [kind, subject])
  const lasting = [
    ['not installed', 'ghost'],
    ['not used', 'idle-plugin'],
    ['overridden setting', 'cloud'],
  ]
  assert.deepEqual(await kinds(), lasting)
  const idle = (await marketplace.current()).plugins.find((one) => one.name === 'idle-plugin')
  await writeFile(join(directory, 'store', idle?.hash ?? '', 'bundle.js'), 'changed')
  assert.deepEqual(await kinds(), [...lasting, ['damaged bundle', 'idle-plugin']])
  verdict = refusing('revocation')
  const revoked = (await kinds()).filter(([kind]) => kind === 'revoked')
  assert.deepEqual(revoked, [
    ['revoked', 'idle-plugin'],
    ['revoked', name],
  ])
})

test('drift tells newer versions that suit as far as they are known, and asks registries only when told to', async (t) => {
  const npm = await npmRegistry(t, [plugin('x', { version: '1.0.0' })])
  let listed: string | undefined
  let revoked: HeededRevocation[] = []
  const unused = async (): Promise<never> => assert.fail('nothing is searched for')
  const { marketplace } = await newMarketplace(t, {
    npm: { registry: npm.registry },
    configured: async () => ({ cloud: { package: name } }),
    find: { search: unused, about: unused, newestListed: async () => listed },
    revocations: async () => revoked,
  })
  await installed(marketplace, name)
  npm.publish(plugin('y', { version: '1.1.0' }))
  npm.publish(plugin('z', { version: '2.0.0' }, { sdk: '^9.0.0' }))
  const asked = npm.requests.length
  assert.deepEqual(await marketplace.drift(), [])
  assert.equal(npm.requests.length, asked, 'it is quick, and needs no network')

  const [newer, ...others] = await marketplace.drift({ refresh: true })
  assert.deepEqual([newer?.kind, newer?.subject, others], ['newer version', name, []])
  assert.match(newer?.message ?? '', /vendor-plugin@1\.1\.0 suits this site, and 1\.0\.0/)
  assert.match(newer?.remedy ?? '', /fogbow plugin upgrade vendor-plugin --plan-only/)

  npm.fault = (_path, response) => {
    response.writeHead(500).end()
    return true
  }
  assert.deepEqual(await marketplace.drift(), [newer], 'it was remembered')
  const failed = await marketplace.drift({ refresh: true })
  assert.deepEqual(
    failed.map(({ kind }) => kind),
    ['newer version', 'nobody asked'],
  )
  listed = '1.2.0'
  assert.match((await marketplace.drift())[0]?.message ?? '', /@1\.2\.0/, 'by a catalogue')
  const range = {
    package: name,
    versions: '>=1.1.0',
    action: 'warn',
    reason: 'x',
    since: '',
  } as const
  revoked = [{ ...range, source: 'this site' }]
  assert.deepEqual(await marketplace.drift(), [], 'nobody is led to what was revoked')
})

test('going back does not touch a folder, which has but one content', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFiles(folder, plugin('first'))
  const { marketplace, directory } = await newMarketplace(t)
  await installed(marketplace, folder)
  const { registry } = await newRegistry(t, { directory })
  await writeFiles(folder, plugin('second, longer'))
  await registry.load(name)
  await installed(marketplace, await tarballOf(t, 'other', { name: 'other-plugin' }))
  const plan = await marketplace.plan({ action: 'rollback', generation: 1 }, alice)
  assert.deepEqual(
    plan.changes.map((change) => [change.package, change.to]),
    [['other-plugin', undefined]],
  )
  await applied(marketplace, plan)
  assert.match((await registry.load(name)).bundle.code, /second, longer/)
})
