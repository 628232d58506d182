import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { npmRegistry } from '../../fixtures/npm-registry.ts'
import { reportFile } from '../../trust/conformance-report.ts'
import { createSigningKey } from '../../trust/signing-key.ts'
import { signatureFile, signPackage } from '../../trust/vendor-signature.ts'
import { signReport } from '../conformance/report.ts'
import { buildFiles } from '../pack/build-files.ts'
import { digestsOf, packPlugin, sbomOf } from '../pack/pack-plugin.ts'
import { type PackedFiles, sbomFile } from '../pack/packed-files.ts'
import { writeTarball } from '../pack/write-tarball.ts'
import { EXCEPTIONS_KEY } from './exceptions.ts'
import { officialNames } from './rules/identity.ts'
import { rules } from './rules/index.ts'
import { validatePlugin } from './validate.ts'

type Files = Record<string, string>
type Fields = Record<string, unknown>

const key = createSigningKey()

let home: string
let made = 0

before(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'fogbow-validate-test-')))
})
after(() => rm(home, { recursive: true }))

const config = {
  type: 'object',
  additionalProperties: false,
  properties: { url: { type: 'string', description: 'Address of the service', maxLength: 255 } },
}

const manifest: Fields = {
  sdk: '^0.1.0',
  kinds: ['image', 'health'],
  contracts: { image: 1, health: 1 },
  entry: './index.js',
  config,
  capabilities: { network: ['{config.url.host}', 'api.acme.example'], secrets: ['apiKey'] },
}

const packageFields: Fields = {
  name: '@vendor/acme-cloud',
  version: '1.2.3',
  description: 'Images of the imaginary Acme cloud',
  license: 'Apache-2.0',
  author: 'Vendor <mail@vendor.example>',
  repository: 'https://git.vendor.example/acme-cloud',
  type: 'module',
  keywords: ['fogbow-plugin'],
  dependencies: { '@fogbow/plugin-sdk': '^0.1.0' },
}

const code = `export default { create: () => ({
  image: { getAllImages: async () => [], getImage: async (id) => ({ id, name: id }) },
  health: { check: async () => {} },
}) }`

/** A package about which there is nothing to say, with some of it replaced; what is undefined is left out. */
function packageOf({
  fields = {},
  fogbow = {},
  files = {},
}: {
  fields?: Fields
  fogbow?: Fields
  files?: Record<string, string | undefined>
}): Files {
  const own = { ...packageFields, fogbow: { ...manifest, ...fogbow }, ...fields }
  const all: Record<string, string | undefined> = {
    'package.json': JSON.stringify(own),
    'index.js': code,
    'README.md': `# Acme cloud\n\n${'What it connects and how it is set up. '.repeat(8)}`,
    'CHANGELOG.md': '## 1.2.3\n\n- More images.\n',
    LICENSE: 'The text of the licence',
    ...files,
  }
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

async function writeFolder(files: Files): Promise<string> {
  const folder = join(home, `package-${made++}`)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return folder
}

const toPacked = (files: Files): PackedFiles =>
  new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]))

async function writePacked(files: PackedFiles): Promise<string> {
  const file = join(home, `package-${made++}.tgz`)
  await writeFile(file, writeTarball(files))
  return file
}

const noDependencies = {
  fetch: async () => assert.fail('nothing has to be fetched'),
}

/** With bill of materials and signature. */
async function completed(files: Files): Promise<PackedFiles> {
  const packed = toPacked(files)
  const built = await buildFiles(packed, 'test', noDependencies)
  packed.set(sbomFile, Buffer.from(JSON.stringify(sbomOf(built))))
  return signed(packed)
}

function signed(packed: PackedFiles): PackedFiles {
  const { name, version } = JSON.parse(packed.get('package.json')?.toString() ?? '{}')
  const signature = signPackage({ name, version, files: digestsOf(packed) }, key)
  return packed.set(signatureFile, Buffer.from(JSON.stringify(signature)))
}

async function failedRules(source: string, options = {}): Promise<string[]> {
  const { results } = await validatePlugin(source, { offline: true, ...options })
  return results.filter(({ outcome }) => outcome === 'failed').map(({ rule }) => rule)
}

const withConfig = (properties: Fields, more: Fields = {}) =>
  packageOf({
    fogbow: { config: { ...config, properties: { ...config.properties, ...properties }, ...more } },
  })
const withNetwork = (pattern: string) =>
  packageOf({ fogbow: { capabilities: { network: [pattern] } } })
const withDependency = (range: string) =>
  packageOf({
    fields: { dependencies: { '@fogbow/plugin-sdk': '^0.1.0', 'left-pad': range } },
    files: {
      'node_modules/left-pad/package.json':
        '{"name":"left-pad","version":"1.3.0","license":"WTFPL"}',
      'node_modules/left-pad/index.js': 'module.exports = (text) => text',
    },
  })

/** A package that breaks one rule and no other, for every rule that a folder can break. */
const violations: Record<string, Files> = {
  'package-json': packageOf({ fields: { name: 'Acme Cloud' } }),
  'manifest-schema': packageOf({ fogbow: { capabilites: {} } }),
  'known-kinds': packageOf({ fogbow: { kinds: ['image', 'health', 'cloud'] } }),
  'entry-packed': packageOf({ fogbow: { entry: './main.js' } }),
  'sdk-range': packageOf({
    fields: { dependencies: { '@fogbow/plugin-sdk': '^0.0.1' } },
    fogbow: { sdk: '^0.0.1' },
  }),
  'sdk-range-bounded': packageOf({ fogbow: { sdk: '*' } }),
  'sdk-range-not-pinned': packageOf({ fogbow: { sdk: '0.1.0' } }),
  'contracts-current': packageOf({ fogbow: { contracts: { image: 7, health: 1 } } }),
  'contracts-stated': packageOf({ fogbow: { contracts: { image: 1 } } }),
  'health-check': packageOf({ fogbow: { kinds: ['image'] } }),
  'config-schema': withConfig({ port: { type: 'integer', description: 'Port', $anchor: 'x' } }),
  'config-patterns': withConfig({
    zone: { type: 'string', description: 'Zone', pattern: '^(a+)+$' },
  }),
  'config-closed': packageOf({
    fogbow: { config: { ...config, additionalProperties: undefined } },
  }),
  'config-described': withConfig({ zone: { type: 'string' } }),
  'config-without-secrets': withConfig({
    apiToken: { type: 'string', description: 'Token of the API' },
  }),
  'config-defaults': withConfig({
    port: { type: 'integer', description: 'Port', default: 'https', minimum: 1 },
  }),
  'network-not-everything': withNetwork('*.example'),
  'network-patterns': withNetwork('ftp://acme.example'),
  'network-template-keys': withNetwork('{config.address.host}'),
  'network-any-port': withNetwork('acme.example:*'),
  'network-encrypted': withNetwork('http://acme.example'),
  'name-not-official': packageOf({ fields: { name: '@fogbow/acme-cloud' } }),
  'name-not-confusable': packageOf({ fields: { name: '@fogbovv/plugin-openstack' } }),
  'version-released': packageOf({
    fields: { version: '1.3.0-rc.1' },
    files: { 'CHANGELOG.md': '## 1.3.0-rc.1' },
  }),
  keyword: packageOf({ fields: { keywords: ['fogbow'] } }),
  description: packageOf({ fields: { description: 'Acme' } }),
  author: packageOf({ fields: { author: undefined } }),
  repository: packageOf({ fields: { repository: {} } }),
  'license-spdx': packageOf({ fields: { license: 'free for friends' } }),
  'license-file': packageOf({ files: { LICENSE: undefined } }),
  readme: packageOf({ files: { 'README.md': '# Acme' } }),
  'readme-own': packageOf({
    files: { 'README.md': `<!-- fogbow-plugin-template -->\n${'About a plugin. '.repeat(20)}` },
  }),
  changelog: packageOf({ files: { 'CHANGELOG.md': '## 1.0.0' } }),
  'no-install-scripts': packageOf({ fields: { scripts: { postinstall: 'node setup.js' } } }),
  'no-native-addons': packageOf({ files: { 'fast.node': 'ELF' } }),
  'no-secret-files': packageOf({ files: { '.env': 'API_KEY=1' } }),
  'no-tests': packageOf({ files: { 'index.test.js': "import './index.js'" } }),
  'no-stray-files': packageOf({ files: { 'tsconfig.json': '{}' } }),
  'no-packed-dependencies': packageOf({ fields: { bundleDependencies: ['left-pad'] } }),
  size: packageOf({ files: { 'data.txt': 'x'.repeat(9 * 1024 * 1024) } }),
  'portable-paths': packageOf({ files: { 'what?.txt': 'odd' } }),
  engines: packageOf({ fields: { engines: { node: '<20' } } }),
  'dependency-sources': withDependency('git+https://git.vendor.example/left-pad'),
  'dependency-ranges': withDependency('>=1.0.0'),
  'sdk-dependency': packageOf({ fields: { dependencies: {} } }),
  'no-optional-dependencies': packageOf({
    fields: { optionalDependencies: { bufferutil: '^4.0.0' } },
  }),
  'dependency-licenses': packageOf({
    fields: { dependencies: { '@fogbow/plugin-sdk': '^0.1.0', 'left-pad': '1.3.0' } },
    files: {
      'index.js': `import pad from 'left-pad'\n${code.replace('name: id', 'name: pad(id)')}`,
      'node_modules/left-pad/package.json': '{"name":"left-pad","version":"1.3.0"}',
      'node_modules/left-pad/index.js': 'module.exports = (text) => text',
    },
  }),
  'no-made-code': packageOf({
    files: { 'index.js': code.replace('async (id) =>', "async (id) => eval('1') &&") },
  }),
  'bundle-builds': packageOf({ files: { 'index.js': `import './gone.js'\n${code}` } }),
  'no-node-builtins': packageOf({
    files: {
      'index.js': `import { readFileSync } from 'node:fs'\n${code.replace('=> []', '=> [readFileSync]')}`,
    },
  }),
  'bundle-size': packageOf({
    files: { 'index.js': code.replace('=> []', `=> [${JSON.stringify('x'.repeat(4_300_000))}]`) },
  }),
  'bundle-deterministic': packageOf({
    files: {
      '.npmignore': 'data.ts',
      'index.js': `import { name } from './data'\n${code.replace('name: id', 'name')}`,
      'data.ts': "export const name = 'not packed'",
      'data.js': "export const name = 'packed'",
    },
  }),
  'offers-its-kinds': packageOf({
    files: { 'index.js': code.replace('getAllImages', 'getImages') },
  }),
  'exceptions-have-reasons': packageOf({
    fields: {
      [EXCEPTIONS_KEY]: { ignore: { changelog: 'no', 'no-such-rule': 'for a good reason' } },
    },
  }),
}

/** Of tarballs only, or of what a registry knows. */
const elsewhere = [
  'version-is-new',
  'signature-present',
  'signature-valid',
  'sbom-present',
  'sbom-agrees',
  'report-agrees',
]

describe('every rule', () => {
  test('has a name of its own, a reason and a remedy, and a package here that breaks it', () => {
    const names = rules.map(({ name }) => name)
    assert.ok(names.length >= 30, `there are ${names.length}`)
    assert.equal(new Set(names).size, names.length)
    for (const { name, reason, remedy } of rules)
      assert.ok(reason.length > 20 && remedy.length > 10, name)
    assert.deepEqual([...Object.keys(violations), ...elsewhere].sort(), [...names].sort())
  })

  test('is content with a package about which there is nothing to say', async () => {
    const { results, errors } = await validatePlugin(await writeFolder(packageOf({})), {
      offline: true,
    })
    const notPassed = results.filter(({ outcome }) => outcome !== 'passed')
    assert.equal(errors, 0)
    assert.deepEqual(notPassed.map(({ rule }) => rule).sort(), [...elsewhere].sort())
  })

  for (const [rule, files] of Object.entries(violations)) {
    test(`${rule} is broken by a package that breaks nothing else`, async () => {
      assert.deepEqual(await failedRules(await writeFolder(files)), [rule])
    })
  }
})

describe('what a registry knows', () => {
  const problems = async (npm: object) => {
    const { results } = await validatePlugin(await writeFolder(packageOf({})), { npm: { ...npm } })
    const found = results.find(({ rule }) => rule === 'version-is-new')
    return { outcome: found?.outcome, message: found?.messages[0] }
  }

  test('a version that is not greater than the published one is an error', async (t) => {
    const { registry, publish } = await npmRegistry(t, [packageOf({})])
    const same = await problems({ registry })
    assert.equal(same.outcome, 'failed')
    assert.match(same.message ?? '', /1\.2\.3 is published already, and 1\.2\.3 is not greater/)
    publish(packageOf({ fields: { version: '2.0.0' } }))
    assert.match((await problems({ registry })).message ?? '', /2\.0\.0 is published already/)
  })

  test('a package that was never published may have any version', async (t) => {
    const { registry } = await npmRegistry(t, [])
    assert.equal((await problems({ registry })).outcome, 'passed')
  })

  test('a registry that does not answer is said to be the reason why it was not looked at', async () => {
    const { outcome, message } = await problems({ registry: 'http://127.0.0.1:9/' })
    assert.equal(outcome, 'skipped')
    assert.match(message ?? '', /no registry answered/)
  })
})

describe('a tarball', () => {
  test('with signature and bill of materials breaks no rule', async () => {
    const file = await writePacked(await completed(packageOf({})))
    assert.deepEqual(await failedRules(file, { key }), [])
  })

  test('without them breaks the rules that ask for them', async () => {
    const file = await writePacked(toPacked(packageOf({})))
    assert.deepEqual(await failedRules(file, { key }), ['signature-present', 'sbom-present'])
  })

  test('that was changed after it was signed breaks signature-valid', async () => {
    const packed = await completed(packageOf({}))
    packed.set('README.md', Buffer.from(`${packed.get('README.md')}, and a bit`))
    assert.deepEqual(await failedRules(await writePacked(packed), { key }), ['signature-valid'])
  })

  test('that somebody else signed breaks signature-valid', async () => {
    const file = await writePacked(await completed(packageOf({})))
    const other = createSigningKey()
    assert.deepEqual(await failedRules(file, { key: other }), ['signature-valid'])
  })

  test('whose bill of materials is that of another bundle breaks sbom-agrees', async () => {
    const packed = await completed(packageOf({}))
    packed.set('index.js', Buffer.from(code.replace('=> []', "=> [{ id: 'a', name: 'A' }]")))
    assert.deepEqual(await failedRules(await writePacked(signed(packed)), { key }), ['sbom-agrees'])
  })

  test('whose conformance report is about another bundle breaks report-agrees', async () => {
    const packed = await completed(packageOf({}))
    const { name, version } = JSON.parse(String(packed.get('package.json')))
    const results = [
      { place: 'sandbox', kind: 'image', name: 'it lists images', outcome: 'passed' } as const,
    ]
    const report = signReport({ name, version, bundleHash: 'a'.repeat(64), results }, key, 0)
    packed.set(reportFile, Buffer.from(JSON.stringify(report)))
    const file = await writePacked(signed(packed))
    assert.deepEqual(await failedRules(file, { key }), ['report-agrees'])
  })

  test('is looked at with the dependencies that a registry has, as a site will', async (t) => {
    const leftPad = {
      'package.json': '{"name":"left-pad","version":"1.3.0","license":"WTFPL"}',
      'index.js': 'module.exports = (text) => text',
    }
    const installed = Object.entries(leftPad).map(([path, text]) => [
      `node_modules/left-pad/${path}`,
      text,
    ])
    const files = packageOf({
      fields: { dependencies: { '@fogbow/plugin-sdk': '^0.1.0', 'left-pad': '^1.3.0' } },
      files: {
        'index.js': `import pad from 'left-pad'\n${code.replace('name: id', 'name: pad(id)')}`,
        ...Object.fromEntries(installed),
      },
    })
    const { file } = await packPlugin({ folder: await writeFolder(files), key, into: home })
    const { registry } = await npmRegistry(t, [leftPad])
    assert.deepEqual(await failedRules(file, { key, offline: false, npm: { registry } }), [])
    const { results } = await validatePlugin(file, { key, offline: true })
    const found = results.find(({ rule }) => rule === 'bundle-builds')
    assert.match(
      found?.messages[0] ?? '',
      /'left-pad@\^1\.3\.0' is not packed along, and --offline/,
    )
  })

  test('that no site would unpack is refused, and the reason named', async () => {
    const packed = toPacked(packageOf({ files: { 'fast.node': 'ELF' } }))
    await assert.rejects(failedRules(await writePacked(packed)), /'fast\.node' is a native addon/)
  })
})

test('every official plugin is known by name, so that nobody is taken for it', async () => {
  const folder = join(import.meta.dirname, '../../../plugins-official')
  const unknown = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && !officialNames.includes(`@fogbow/plugin-${entry.name}`))
      unknown.push(entry.name)
  }
  assert.deepEqual(unknown, [], 'missing in rules/identity.ts')
})

describe('exceptions', () => {
  const reason = 'release notes are on the site of the vendor'

  test('an exception with a reason is shown as ignored, and is no failure', async () => {
    const files = packageOf({
      fields: { [EXCEPTIONS_KEY]: { ignore: { changelog: reason, keyword: reason } } },
      files: { 'CHANGELOG.md': undefined },
    })
    const { results, errors, warnings, ignored } = await validatePlugin(await writeFolder(files), {
      offline: true,
    })
    assert.deepEqual({ errors, warnings, ignored }, { errors: 0, warnings: 0, ignored: 1 })
    const found = results.find(({ rule }) => rule === 'changelog')
    assert.deepEqual(found, {
      rule: 'changelog',
      severity: 'warning',
      outcome: 'ignored',
      messages: ['there is no CHANGELOG.md'],
      exception: reason,
    })
  })

  test('what is not looked at says which rule hinders it', async () => {
    const files = packageOf({ fogbow: { entry: './main.js' } })
    const { results } = await validatePlugin(await writeFolder(files), { offline: true })
    const found = results.find(({ rule }) => rule === 'offers-its-kinds')
    assert.equal(found?.outcome, 'skipped')
    assert.match(found?.messages[0] ?? '', /before 'entry-packed' is right/)
  })
})
