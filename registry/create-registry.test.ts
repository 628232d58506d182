import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { npmRegistry } from './fixtures/npm-registry.ts'
import {
  answerOf,
  created,
  greetingFolder,
  newRegistry,
  packed,
  plugin,
  temporaryFolder,
  writeFiles,
} from './fixtures/packages.ts'
import type { LockedPlugin } from './marketplace.ts'

async function packGreeting(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t)
  const pack = ['pack', greetingFolder, '--offline', '--ignore-scripts', '--silent']
  await promisify(execFile)('npm', pack, { cwd: folder })
  return join(folder, 'fogbow-plugin-greeting-1.2.3.tgz')
}

async function vendorFolder(t: TestContext, answer: string): Promise<string> {
  const folder = await temporaryFolder(t)
  await writeFiles(folder, plugin(answer))
  return folder
}

async function vendorTarball(t: TestContext, files: Record<string, string>): Promise<string> {
  const path = join(await temporaryFolder(t), 'plugin.tgz')
  await writeFile(path, packed(files))
  return path
}

test('a tarball made by npm pack is installed, listed, loaded, and works; its scripts never ran', async (t) => {
  const warnings: string[] = []
  const { registry, directory } = await newRegistry(t, {
    clock: { now: () => 0 },
    log: { info() {}, warn: (message, fields) => warnings.push(`${message} ${fields?.scripts}`) },
  })
  const source = await packGreeting(t)
  const installed = await registry.install(source)
  const bytes = await readFile(source)
  assert.deepEqual(
    { ...installed, manifest: installed.manifest.kinds, hash: installed.hash.length },
    {
      name: 'fogbow-plugin-greeting',
      version: '1.2.3',
      description: 'A plugin for tests: one image, named as the configuration says',
      license: 'MIT',
      manifest: ['image'],
      hash: 64,
      integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
      source,
      sourceKind: 'tarball',
      installedAt: '1970-01-01T00:00:00.000Z',
      trust: { level: 'local', checks: [] },
      accepted: {
        by: 'site',
        at: '1970-01-01T00:00:00.000Z',
        rights: ['capability network {config.url.host}', 'license MIT', 'level local'],
      },
      components: [],
    },
  )
  assert.deepEqual(await registry.list(), [installed])
  assert.deepEqual(await registry.find('fogbow-plugin-greeting'), installed)

  const { bundle } = await registry.load('fogbow-plugin-greeting')
  const { image } = (await created(bundle.code, { greeting: 'hello' })) as {
    image: { getAllImages(): Promise<{ name: string }[]> }
  }
  const names = (await image.getAllImages()).map(({ name }) => name)
  assert.equal(
    names.join(' | '),
    'hello | <!-- a --> | import(x) | eval(x) | import /* y */ | 1-->import("z")',
  )
  const everything = await readdir(directory, { recursive: true })
  assert.deepEqual(
    everything.filter((path) => path.endsWith('ran')),
    [],
  )
  assert.deepEqual(warnings, ['Install scripts of a plugin are not run preinstall, postinstall'])
})

test("a tarball finds only what it brought along, not the site's own packages", async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(join(root, 'node_modules/faster'), {
    'package.json': '{"name":"faster","version":"1.0.0"}',
    'index.js': 'module.exports = 1',
  })
  const { registry } = await newRegistry(t, { directory: join(root, 'data/plugins') })
  const answer = `let found = 'no'
    try { require('faster'); found = 'yes' } catch {}
    exports.answer = found`
  await registry.install(await vendorTarball(t, { ...plugin(''), 'answer.js': answer }))
  assert.equal(await answerOf(registry), 'no')
})

test('what is bundled and what is stored have one hash, and one tarball always gives the same', async (t) => {
  const first = await newRegistry(t)
  const second = await newRegistry(t)
  const source = await vendorTarball(t, plugin('same'))
  const { hash } = await first.registry.install(source)
  assert.equal((await second.registry.install(source)).hash, hash)
  const code = await readFile(join(first.directory, 'store', hash, 'bundle.js'))
  assert.equal(createHash('sha256').update(code).digest('hex'), hash)
})

test('installing another version replaces the first, and the lock file says so in sorted keys', async (t) => {
  const { registry, directory } = await newRegistry(t)
  await registry.install(await vendorTarball(t, plugin('other', { name: '@vendor/other' })))
  await registry.install(await vendorTarball(t, plugin('old')))
  await registry.install(await vendorTarball(t, plugin('new', { version: '2.0.0' })))
  assert.equal(await answerOf(registry), 'new')
  const lock = JSON.parse(await readFile(join(directory, 'plugins.lock.json'), 'utf8'))
  assert.deepEqual(Object.keys(lock.plugins), ['@vendor/other', 'vendor-plugin'])
  assert.equal(lock.plugins['vendor-plugin'].version, '2.0.0')
  const keys = Object.keys(lock.plugins['vendor-plugin'])
  assert.deepEqual(keys, keys.toSorted())
})

test('removing a plugin removes every bundle that no kept generation refers to', async (t) => {
  const { registry, directory } = await newRegistry(t, { keepGenerations: 1 })
  const kept = await registry.install(
    await vendorTarball(t, plugin('kept', { name: 'kept-plugin' })),
  )
  await registry.install(await vendorTarball(t, plugin('old')))
  await registry.install(await vendorTarball(t, plugin('new', { version: '2.0.0' })))
  const removed = await registry.remove('vendor-plugin')
  assert.equal(removed.version, '2.0.0')
  assert.equal(await registry.find('vendor-plugin'), undefined)
  assert.deepEqual(await readdir(join(directory, 'store')), [kept.hash])
  const missing = { code: 'not_found', message: "No plugin 'vendor-plugin' is installed" }
  await assert.rejects(registry.remove('vendor-plugin'), missing)
  await assert.rejects(registry.load('vendor-plugin'), missing)
})

test('a bundle that was changed in the store is not handed out, and adding the plugin again heals it', async (t) => {
  const { registry, directory } = await newRegistry(t)
  const source = await vendorTarball(t, plugin('true'))
  const { hash } = await registry.install(source)
  const path = join(directory, 'store', hash, 'bundle.js')
  const code = await readFile(path, 'utf8')
  await writeFile(path, code.replace('true', 'fake'))
  await assert.rejects(registry.load('vendor-plugin'), {
    code: 'configuration_error',
    message:
      /^Plugin 'vendor-plugin' 1\.0\.0 is not started: .*bundle\.js was changed after it was checked/,
  })
  await registry.install(source)
  assert.equal(await answerOf(registry), 'true')
  await rm(path)
  await assert.rejects(registry.load('vendor-plugin'), /cannot be read\. Add it again from/)
})

test('a folder is built anew when one of its files, or its package.json, changed, and only then', async (t) => {
  const { registry, directory } = await newRegistry(t)
  const folder = await vendorFolder(t, 'first')
  const before = await registry.install(folder)
  assert.equal(before.sourceKind, 'folder')
  const written = await stat(join(directory, 'plugins.lock.json'))
  assert.equal(await answerOf(registry), 'first')
  const unchanged = await stat(join(directory, 'plugins.lock.json'))
  assert.equal(unchanged.mtimeMs, written.mtimeMs)

  await writeFiles(folder, plugin('second, longer'))
  assert.equal(await answerOf(registry), 'second, longer')
  const after = await registry.find('vendor-plugin')
  assert.notEqual(after?.hash, before.hash)
  const kept = [before.hash, after?.hash].sort()
  assert.deepEqual((await readdir(join(directory, 'store'))).sort(), kept)

  await writeFiles(folder, plugin('second, longer', { version: '1.0.1', description: 'Changed' }))
  assert.equal((await registry.load('vendor-plugin')).plugin.description, 'Changed')

  await utimes(join(folder, 'answer.js'), 1, 1)
  await registry.load('vendor-plugin')
  const generations = await readdir(join(directory, 'generations'))
  assert.deepEqual(generations.sort(), ['1.json', '4.json'], 'nobody goes back to a rebuild')
  const rebuilt = await stat(join(directory, 'plugins.lock.json'))
  assert.notEqual(rebuilt.mtimeMs, unchanged.mtimeMs)
})

test('a folder that broke, moved or became another package is an error, not the old bundle', async (t) => {
  const { registry } = await newRegistry(t)
  const folder = await vendorFolder(t, 'good')
  await registry.install(folder)
  await writeFile(join(folder, 'answer.js'), 'export const answer = ')
  await assert.rejects(registry.load('vendor-plugin'), {
    code: 'configuration_error',
    message: /^Package 'vendor-plugin@1\.0\.0': answer\.js:1:23: /,
  })
  await writeFiles(folder, plugin('good', { name: 'renamed-plugin' }))
  await assert.rejects(registry.load('vendor-plugin'), /holds package 'renamed-plugin' now/)
  assert.equal(await registry.find('renamed-plugin'), undefined)
  await rm(folder, { recursive: true })
  await assert.rejects(registry.load('vendor-plugin'), /does not exist or cannot be read/)
})

test('a folder may bundle the dependencies that it declares, wherever Node finds them, and no others', async (t) => {
  const { registry } = await newRegistry(t)
  const root = await temporaryFolder(t)
  const folder = join(root, 'packages/plugin')
  await writeFiles(join(root, 'packages/shared'), {
    'package.json': '{"name":"@vendor/shared","version":"1.0.0","dependencies":{"deep":"*"}}',
    'index.js': `export { answer } from 'deep'`,
  })
  const module = (name: string, answer: string) => ({
    'package.json': JSON.stringify({ name, version: '1.0.0' }),
    'index.js': `exports.answer = '${answer}'`,
  })
  await writeFiles(join(root, 'node_modules/deep'), module('deep', 'from deep'))
  await writeFiles(join(root, 'node_modules/other'), module('other', 'from other'))
  await mkdir(join(root, 'node_modules/@vendor'))
  await symlink('../../packages/shared', join(root, 'node_modules/@vendor/shared'))

  const using = (name: string) => ({
    ...plugin('', { dependencies: { '@vendor/shared': '*' } }),
    'answer.js': `export { answer } from '${name}'`,
  })
  await writeFiles(folder, using('other'))
  await assert.rejects(registry.install(folder), {
    code: 'configuration_error',
    message:
      /node_modules\/other\/index\.js lies outside the package and its declared dependencies/,
  })
  await writeFiles(folder, using('@vendor/shared'))
  await registry.install(folder)
  assert.equal(await answerOf(registry), 'from deep')
  await writeFiles(join(root, 'node_modules/deep'), module('deep', 'changed since'))
  assert.equal(await answerOf(registry), 'changed since')
})

test('a package of an npm registry is installed with what it depends on, and loads without the registry', async (t) => {
  const npm = await npmRegistry(t, [
    {
      ...plugin('', { dependencies: { first: '^1.0.0', second: '^1.0.0' } }),
      'answer.js': `import { first } from 'first'\nimport { second } from 'second'\nexport const answer = first + second`,
    },
    {
      'package.json': '{"name":"first","version":"1.1.0","dependencies":{"second":"^2.0.0"}}',
      'index.js': `exports.first = 'first with ' + require('second').second`,
    },
    {
      'package.json': '{"name":"second","version":"1.5.0"}',
      'index.js': `exports.second = ' and 1.5'`,
    },
    { 'package.json': '{"name":"second","version":"2.5.0"}', 'index.js': `exports.second = '2.5'` },
  ])
  const { registry, directory } = await newRegistry(t, { npm: { registry: npm.registry } })
  const installed = await registry.install('vendor-plugin@^1.0.0')
  assert.equal(installed.sourceKind, 'npm')
  assert.equal(installed.source, 'vendor-plugin@^1.0.0')
  assert.match(installed.integrity ?? '', /^sha512-/)
  const asked = npm.requests.length
  const offline = await newRegistry(t, { directory, npm: { registry: 'http://127.0.0.1:1/' } })
  assert.equal(await answerOf(offline.registry), 'first with 2.5 and 1.5')
  assert.equal(npm.requests.length, asked)
})

test('a registry that has not, does not answer, or sends other bytes than announced is told apart', async (t) => {
  const npm = await npmRegistry(t, [plugin('x')], { tampered: ['vendor-plugin'] })
  const { registry } = await newRegistry(t, { npm: { registry: npm.registry, fetchRetries: 0 } })
  await assert.rejects(registry.install('no-such-plugin'), {
    code: 'invalid_parameter',
    message: "source: the npm registry has no 'no-such-plugin'",
  })
  await assert.rejects(registry.install('vendor-plugin@^7.0.0'), { code: 'invalid_parameter' })
  await assert.rejects(registry.install('vendor-plugin'), {
    code: 'configuration_error',
    message: /what the npm registry sent is not what it announced/,
  })
  const silent = await newRegistry(t, {
    npm: { registry: 'http://127.0.0.1:1/', fetchRetries: 0 },
  })
  await assert.rejects(silent.registry.install('vendor-plugin'), { code: 'unavailable_provider' })
  assert.deepEqual(await registry.list(), [])
})

test('a tarball whose dependencies come from elsewhere than a registry is refused', async (t) => {
  const { registry } = await newRegistry(t)
  for (const range of [
    'file:../../etc',
    'git+ssh://host/x.git',
    'vendor/repository',
    'link:/etc',
  ]) {
    const source = await vendorTarball(t, plugin('x', { dependencies: { helper: range } }))
    await assert.rejects(registry.install(source), {
      code: 'configuration_error',
      message: /dependencies\.helper is '.*'; only npm registries are asked/,
    })
  }
})

test('sources that are nothing that can be installed are named', async (t) => {
  const { registry } = await newRegistry(t)
  for (const source of [
    './here',
    '../there.tgz',
    'github:a/b',
    'https://a.b/c.tgz',
    '/no/such/file',
    '',
  ]) {
    await assert.rejects(registry.install(source), {
      code: 'invalid_parameter',
      message: /^source: /,
    })
  }
})

test('installs at the same time, also by two sites on one folder, all take effect', async (t) => {
  const { registry, directory } = await newRegistry(t)
  const other = (await newRegistry(t, { directory })).registry
  const names = ['a-plugin', 'b-plugin', 'c-plugin', 'd-plugin']
  const sources = await Promise.all(names.map((name) => vendorTarball(t, plugin(name, { name }))))
  await Promise.all(sources.map((source, index) => (index % 2 ? other : registry).install(source)))
  assert.deepEqual(
    (await registry.list()).map(({ name }) => name),
    names,
  )
  for (const name of names) assert.equal(await answerOf(other, name), name)
})

test('whatever a killed install left behind, what was installed still runs and the next install succeeds', async (t) => {
  const { registry, directory } = await newRegistry(t)
  const old = await registry.install(await vendorTarball(t, plugin('old')))
  const lock = await readFile(join(directory, 'plugins.lock.json'), 'utf8')
  const next = plugin('new', { version: '2.0.0' })
  // Killed while writing the bundle, after storing it, and while writing the lock file.
  await writeFiles(join(directory, 'staging/half'), { 'bundle.js': '"use str' })
  await writeFiles(join(directory, 'store', 'f'.repeat(64)), { 'bundle.js': '"use strict"' })
  await writeFile(join(directory, 'plugins.lock.json.next'), lock.slice(0, 40))

  const restarted = (await newRegistry(t, { directory, keepGenerations: 1 })).registry
  assert.deepEqual(await restarted.list(), [old])
  assert.equal(await answerOf(restarted), 'old')
  await restarted.install(await vendorTarball(t, next))
  assert.equal(await answerOf(restarted), 'new')
  await restarted.remove('vendor-plugin')
  assert.deepEqual(await readdir(join(directory, 'store')), [])
  assert.deepEqual((await readdir(directory)).toSorted(), [
    'generations',
    'plugins.lock.json',
    'registry.lock',
    'store',
  ])
})

test('an install that fails changes nothing', async (t) => {
  const { registry, directory } = await newRegistry(t)
  await registry.install(await vendorTarball(t, plugin('old')))
  const state = async () => ({
    lock: await readFile(join(directory, 'plugins.lock.json'), 'utf8'),
    files: (await readdir(directory, { recursive: true })).toSorted(),
  })
  const before = await state()
  const broken = {
    ...plugin('new', { version: '2.0.0' }),
    'answer.js': 'export const answer = eval("1")',
  }
  await assert.rejects(registry.install(await vendorTarball(t, broken)), /eval\(\) is not allowed/)
  assert.deepEqual(await state(), before)
})

test('a lock file that cannot be read is named with what is wrong, and is left alone', async (t) => {
  const { registry, directory } = await newRegistry(t)
  const path = join(directory, 'plugins.lock.json')
  for (const [content, problem] of [
    ['{"lockfileVersion":1,', /plugins\.lock\.json cannot be used: .*JSON/],
    ['{"lockfileVersion":3,"plugins":{}}', /lockfileVersion must be 1 or 2/],
    ['{"lockfileVersion":1,"plugins":{"a":{"hash":"x"}}}', /plugins\.a\.version is required/],
  ] as const) {
    await writeFile(path, content)
    await assert.rejects(registry.list(), { code: 'configuration_error', message: problem })
    await assert.rejects(registry.install(greetingFolder), { code: 'configuration_error' })
    assert.equal(await readFile(path, 'utf8'), content)
  }
})

test('a plugin made for another SDK than the site has now is not handed out', async (t) => {
  const { registry, directory } = await newRegistry(t)
  await registry.install(await vendorTarball(t, plugin('x')))
  const upgraded = await newRegistry(t, { directory, sdkVersion: '2.0.0' })
  await assert.rejects(upgraded.registry.load('vendor-plugin'), {
    code: 'configuration_error',
    message: /needs SDK \^0\.1\.0, but this site has 2\.0\.0/,
  })
})

test('a folder is official where the plugins of the site lie, and nowhere else', async (t) => {
  const officialFolder = await temporaryFolder(t)
  await writeFiles(join(officialFolder, 'cloud'), plugin('x'))
  const { registry } = await newRegistry(t, { officialFolder })
  const level = async (source: string) => {
    const { plugin: installed } = await registry.load((await registry.install(source)).name)
    return (installed as LockedPlugin).trust.level
  }
  assert.equal(await level(join(officialFolder, 'cloud')), 'official')
  assert.equal(await level(await vendorFolder(t, 'x')), 'local')
})
