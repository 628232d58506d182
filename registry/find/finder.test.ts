import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createPackageRegistries } from '../fetch/registries.ts'
import { npmRegistry, type TestRegistry } from '../fixtures/npm-registry.ts'
import { type PackageFiles, plugin, temporaryFolder } from '../fixtures/packages.ts'
import { signDocument } from '../trust/signed-document.ts'
import { createSignedSources } from '../trust/signed-source.ts'
import { createSigningKey } from '../trust/signing-key.ts'
import { type CatalogueEntry, catalogueType, createCatalogues } from './catalogue.ts'
import { createFinder, type Finder } from './finder.ts'

const now = Date.parse('2026-06-01T00:00:00Z')
const key = createSigningKey()

function cloud(name: string, version: string, manifest: object = {}, fields: object = {}) {
  const description = `A cloud called ${name}`
  const keywords = ['fogbow-plugin']
  const files = plugin(
    'x',
    { name, version, description, keywords, license: 'MIT', ...fields },
    manifest,
  )
  return {
    ...files,
    'README.md': `# ${name}\n\nRead me.`,
    'CHANGELOG.md': `## ${version}\n\n- New.`,
  }
}

/** Answers searches as npm's registry does, and questions for weaknesses. */
function serve(
  npm: TestRegistry,
  hits: readonly PackageFiles[],
  weaknesses: Record<string, object[]> = {},
): void {
  const objects = hits.map((files) => ({ package: JSON.parse(files['package.json'] ?? '{}') }))
  npm.fault = (path, response) => {
    const isSearch = path.startsWith('/-/v1/search')
    const isAsked = path === '/-/npm/v1/security/advisories/bulk'
    if (isSearch) response.end(JSON.stringify({ objects }))
    if (isAsked) response.end(JSON.stringify(weaknesses))
    return isSearch || isAsked
  }
}

const entry: CatalogueEntry = {
  name: '@vendor/cloud',
  description: 'Curated: computes of a vendor',
  kinds: ['compute', 'image'],
  license: 'Apache-2.0',
  publisher: 'Vendor Ltd',
  homepage: 'https://vendor.example',
  readme: '# In the words of the curator',
  changelog: '## What the curator noted',
  screenshots: [{ url: 'https://vendor.example/1.png', caption: 'The first page' }],
  versions: [
    { version: '3.0.0', sdk: '^9.0.0' },
    { version: '2.0.0', sdk: '^0.1.0', contracts: { compute: 99 } },
    {
      version: '1.0.0',
      sdk: '^0.1.0',
      integrity: 'sha512-of-these-bytes',
      attestations: [{ proof: 1 }],
      vetting: { result: 'passed', by: 'the curators' },
    },
  ],
}

function catalogueOf(plugins: unknown[], sequence = 1, signer = key) {
  const content = {
    type: catalogueType,
    issuedAt: '2026-05-01T00:00:00Z',
    expiresAt: '2026-07-01T00:00:00Z',
    sequence,
    plugins,
  }
  return JSON.stringify(signDocument(content, [signer]))
}

interface Offline {
  finder: Finder
  /** Publishes another catalogue. */
  publish(text: string): Promise<void>
}

async function newFinder(
  t: TestContext,
  registry: string,
  plugins: unknown[] = [],
  installed: Record<string, string> = {},
): Promise<Offline> {
  const folder = await temporaryFolder(t)
  const place = join(folder, 'catalogue.json')
  await writeFile(place, catalogueOf(plugins))
  const documents = createSignedSources({ folder, clock: { now: () => now } })
  const source = { name: 'curated', type: catalogueType, place, keys: [key] }
  const catalogues = createCatalogues(() => [source], documents)
  const npm = { registry, cache: join(folder, 'cache'), fetchRetries: 0 }
  const finder = createFinder({
    sdkVersion: '0.1.0',
    registries: createPackageRegistries(npm),
    catalogues,
    installed: async () => new Map(Object.entries(installed)),
    wellKnown: ['@fogbow/plugin-openstack'],
  })
  assert.deepEqual(await finder.refresh(), [])
  return { finder, publish: (text) => writeFile(place, text) }
}

const nowhere = 'http://127.0.0.1:9/'

test('a registry is searched by words and kind, for the newest version that suits the SDK and the contracts of this site', async (t) => {
  const old = cloud('some-cloud', '1.0.0')
  const npm = await npmRegistry(t, [old])
  npm.publish(cloud('some-cloud', '1.1.0', { contracts: { image: 1 } }))
  npm.publish(cloud('some-cloud', '1.2.0', { contracts: { image: 99 } }))
  npm.publish(cloud('some-cloud', '2.0.0', { sdk: '^9.0.0' }))
  serve(npm, [old, { 'package.json': JSON.stringify({ name: 'no-plugin', version: '1.0.0' }) }])
  const { finder } = await newFinder(t, npm.registry, [], { 'some-cloud': '1.0.0' })
  const { items, problems } = await finder.search({ text: 'some', kind: 'image' })
  assert.deepEqual(problems, [])
  assert.equal(items.length, 1)
  const [found] = items
  assert.deepEqual(
    [found?.version, found?.newest, found?.license, found?.installed, found?.source],
    ['1.1.0', '2.0.0', 'MIT', '1.0.0', 'npm'],
  )
  assert.match(found?.unsuitable ?? '', /it asks for SDK \^9\.0\.0, and this site has 0\.1\.0/)
  assert.match(
    npm.requests.find((path) => path.startsWith('/-/v1/search')) ?? '',
    /keywords:fogbow-plugin\+some/,
  )
  assert.deepEqual((await finder.search({ text: 'some', kind: 'quota' })).items, [])
  const { versions } = await finder.about('some-cloud')
  assert.deepEqual(
    versions.map(({ version, suits }) => [version, suits]),
    [
      ['2.0.0', false],
      ['1.2.0', false],
      ['1.1.0', true],
      ['1.0.0', true],
    ],
  )
})

test('a signed catalogue is searched without a network, and a registry that is gone is named', async (t) => {
  const { finder } = await newFinder(t, nowhere, [
    entry,
    { ...entry, name: 'other', kinds: ['quota'] },
  ])
  const { items, problems } = await finder.search({ text: 'CURATED vendor', kind: 'compute' })
  assert.deepEqual(
    problems.map(({ source }) => source),
    ['npm'],
  )
  assert.equal(items.length, 1)
  const [found] = items
  assert.deepEqual(
    [found?.name, found?.version, found?.newest, found?.publisher, found?.vetting, found?.source],
    ['@vendor/cloud', '1.0.0', '3.0.0', 'Vendor Ltd', 'passed', 'curated'],
  )
  assert.match(found?.unsuitable ?? '', /\^9\.0\.0/)
  assert.equal(await finder.newestListed('@vendor/cloud'), '1.0.0')
  const nothing = await finder.search({ text: 'curated nonsense', source: 'curated' })
  assert.deepEqual(nothing, { items: [], problems: [] })
})

test('a long list comes page by page', async (t) => {
  const many = Array.from({ length: 7 }, (_, n) => ({ ...entry, name: `cloud-${n}` }))
  const { finder } = await newFinder(t, nowhere, many)
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page = await finder.search({ source: 'curated', limit: 3, ...(cursor && { cursor }) })
    assert.ok(page.items.length <= 3)
    names.push(...page.items.map(({ name }) => name))
    cursor = page.next
  } while (cursor !== undefined)
  assert.deepEqual(
    names,
    many.map(({ name }) => name),
  )
  await assert.rejects(finder.search({ cursor: 'x' }), { code: 'invalid_parameter' })
})

test('everything that is read before a decision is shown before anything is installed', async (t) => {
  const capabilities = { network: ['https://api.vendor.example:443'], secrets: ['password'] }
  const files = cloud('@vendor/cloud', '1.0.0', { capabilities })
  const npm = await npmRegistry(t, [files])
  const weakness = { id: 7, title: 'It leaks', severity: 'high', vulnerable_versions: '<1.1.0' }
  const other = { id: 8, title: 'Only before', severity: 'low', vulnerable_versions: '<1.0.0' }
  serve(npm, [], { '@vendor/cloud': [weakness, other] })
  const known = {
    id: 'CUR-1',
    package: '@vendor/cloud',
    severity: 'moderate',
    title: 'It forgets',
    range: '1.x',
  }
  const listed = {
    ...entry,
    deprecated: { reason: 'too old', successor: 'new' },
    advisories: [known],
  }
  const { finder } = await newFinder(t, npm.registry, [listed])
  const about = await finder.about('@vendor/cloud')
  assert.equal(about.license, 'MIT', 'what is in the package counts')
  assert.equal(about.readme, '# @vendor/cloud\n\nRead me.')
  assert.equal(about.changelog, '## 1.0.0\n\n- New.')
  assert.deepEqual(about.manifest.capabilities, capabilities)
  const bytes = Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  assert.equal(about.size, bytes)
  assert.deepEqual(
    about.advisories.map(({ id, severity, title }) => [id, severity, title]),
    [
      ['7', 'high', 'It leaks'],
      ['CUR-1', 'moderate', 'It forgets'],
    ],
  )
  assert.deepEqual(about.screenshots, entry.screenshots)
  assert.deepEqual(
    [about.publisher, about.vetting, about.homepage],
    ['Vendor Ltd', 'passed', 'https://vendor.example'],
  )
  assert.deepEqual(about.deprecated, { reason: 'too old', successor: 'new' })
})

test('a package without texts of its own has those of the catalogue', async (t) => {
  const { 'README.md': _, 'CHANGELOG.md': __, ...bare } = cloud('@vendor/cloud', '1.0.0')
  const { finder } = await newFinder(t, (await npmRegistry(t, [bare])).registry, [entry])
  const { readme, changelog } = await finder.about('@vendor/cloud')
  assert.deepEqual([readme, changelog], [entry.readme, entry.changelog])
})

test('what is no plugin, or nowhere, is said so', async (t) => {
  const none = { 'package.json': JSON.stringify({ name: 'no-plugin', version: '1.0.0' }) }
  const { finder } = await newFinder(t, (await npmRegistry(t, [none])).registry)
  await assert.rejects(finder.about('no-plugin'), /it is no plugin: package\.json has no `fogbow`/)
  await assert.rejects(finder.about('absent'), /has no 'absent'/)
})

test('a catalogue that another key signed, or that is older than one seen before, takes the place of none', async (t) => {
  const { finder, publish } = await newFinder(t, nowhere, [entry])
  const names = async () =>
    (await finder.search({ source: 'curated' })).items.map(({ name }) => name)
  await publish(catalogueOf([{ ...entry, name: 'forged' }], 9, createSigningKey()))
  const [forged] = await finder.refresh()
  assert.match(forged?.problem ?? '', /no key that this site believes has signed it/)
  assert.deepEqual(await names(), ['@vendor/cloud'])
  await publish(catalogueOf([{ ...entry, name: 'second' }], 5))
  assert.deepEqual(await finder.refresh(), [])
  assert.deepEqual(await names(), ['second'])
  await publish(catalogueOf([entry], 4))
  assert.match((await finder.refresh())[0]?.problem ?? '', /it is number 4, and 5 was seen before/)
  assert.deepEqual(await names(), ['second'])
})

test('an entry with a mistake is left out, and the others serve', async (t) => {
  const { finder } = await newFinder(t, nowhere, [{ name: 'broken' }, null, entry])
  const { items } = await finder.search({ source: 'curated' })
  assert.deepEqual(
    items.map(({ name }) => name),
    ['@vendor/cloud'],
  )
})

test('evidence of a catalogue is about those very bytes or about none', async (t) => {
  const { finder } = await newFinder(t, nowhere, [entry])
  const same = { name: '@vendor/cloud', version: '1.0.0', integrity: 'sha512-of-these-bytes' }
  assert.deepEqual(await finder.evidenceFor(same), {
    attestations: [{ proof: 1 }],
    vetting: { result: 'passed', by: 'the curators' },
  })
  assert.deepEqual(await finder.evidenceFor({ ...same, integrity: 'sha512-other' }), {
    attestations: [],
  })
  assert.deepEqual(await finder.evidenceFor({ ...same, version: '1.0.1' }), { attestations: [] })
})

test('a name that could be taken for a better-known one is told, and the known one itself is not', async (t) => {
  const { finder } = await newFinder(t, nowhere, [entry])
  const names: [string, string | undefined][] = [
    ['@fogb0w/plugin-openstack', '@fogbow/plugin-openstack'],
    ['fogbow-plugin-openstack', '@fogbow/plugin-openstack'],
    ['@fogbow/plugin-opnestack', '@fogbow/plugin-openstack'],
    ['@vend0r/cloud', '@vendor/cloud'],
    ['@fogbow/plugin-openstack', undefined],
    ['@somebody/else', undefined],
  ]
  for (const [name, known] of names) assert.equal(await finder.resembled(name), known, name)
})
