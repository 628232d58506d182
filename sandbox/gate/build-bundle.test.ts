import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { FogbowError, PluginDefinition } from '@fogbow/plugin-sdk'
import { buildBundle } from './build-bundle.ts'
import type { BuiltBundle, BundleRequest } from './bundle-package.ts'
import { evaluate, temporaryFolder, writePackage } from './fixtures/packages.ts'

async function bundleOf(
  t: TestContext,
  files: Record<string, string>,
  request: Partial<BundleRequest> = {},
): Promise<BuiltBundle> {
  const packageDir = await temporaryFolder(t)
  await writePackage(packageDir, files)
  return buildBundle({ packageDir, entry: './index.ts', ...request })
}

const evaluated = async (t: TestContext, files: Record<string, string>, globals = {}) =>
  evaluate((await bundleOf(t, files)).code, globals)

test('a TypeScript plugin that uses the SDK evaluates, and what it creates works', async (t) => {
  const { code, hash } = await bundleOf(t, {
    'index.ts': `
      import { definePlugin, FogbowError, invalid, resources } from '@fogbow/plugin-sdk'
      import type { LocalToken } from '@fogbow/plugin-sdk'
      import { nameOf } from './name.ts'
      interface Config { greeting: string }
      export default definePlugin<Config>({
        create: ({ config }) => ({
          image: {
            getAllImages: async (_token: LocalToken) => [{ id: resources.volume.path, name: nameOf(config.greeting) }],
            getImage: async (id: string) => { throw id ? new FogbowError('instance_not_found', id) : invalid('imageId', 'is empty') },
          },
        }),
      })`,
    'name.ts': `export const nameOf = (greeting: string): string => greeting + ', world'`,
  })
  const { create } = evaluate(code) as PluginDefinition<unknown>
  const { image } = await create({ config: { greeting: 'hello' } } as never)
  assert.ok(image)
  const [first] = await image.getAllImages({} as never, {} as never)
  assert.deepEqual({ ...first }, { id: 'volumes', name: 'hello, world' })
  await assert.rejects(
    async () => image.getImage('', {} as never, {} as never),
    (error: FogbowError) => error.code === 'invalid_parameter' && error.status === 400,
  )
  assert.equal(hash, createHash('sha256').update(code).digest('hex'))
})

test('a bundle holds of the SDK only what its plugin uses, and never the validators', async (t) => {
  const plain = await bundleOf(t, {
    'index.ts': `import { definePlugin } from '@fogbow/plugin-sdk'
      export default definePlugin({ create: () => ({}) })`,
  })
  assert.ok(plain.code.length < 1500, `${plain.code.length} characters for an empty plugin`)
  const { code } = await bundleOf(t, {
    'index.ts': `import { definePlugin, FogbowError, invalid, resources } from '@fogbow/plugin-sdk'
      export default definePlugin({ create: () => { throw resources ? invalid('a', 'b') : FogbowError } })`,
  })
  assert.match(code, /"quota_exceeded|quota_exceeded:/)
  assert.doesNotMatch(code, /ajv|instancePath/i)
  assert.doesNotMatch(code, /tokenGenerator/)
})

test('the same package gives the same bytes wherever it lies, and they name no place of this machine', async (t) => {
  const files = {
    'package.json': '{"name":"placed","version":"1.0.0"}',
    'index.ts': `import { join } from 'node:path'
      import { definePlugin } from '@fogbow/plugin-sdk'
      import asked from './asked.cjs'
      export default definePlugin({
        create: () => ({ health: { check: async () => { Buffer.from(join(asked, 'b')) } } }),
      })`,
    'asked.cjs': `module.exports = 'a'`,
  }
  const folder = await temporaryFolder(t)
  const places = [join(folder, 'near'), join(folder, 'quite', 'far', 'away')]
  const bundles = await Promise.all(
    places.map(async (packageDir) => {
      await writePackage(packageDir, files)
      return buildBundle({ packageDir, entry: './index.ts' })
    }),
  )
  assert.equal(bundles[0]?.hash, bundles[1]?.hash)
  assert.doesNotMatch(bundles[0]?.code ?? '', /\.\.\/|sandbox\/gate/)
})

test('modules imported lazily and packages that are missing inside try are settled at bundling', async (t) => {
  const value = (await evaluated(t, {
    'index.ts': `
      declare const require: (name: string) => unknown
      let faster = 'no'
      try { require('faster-native-thing'); faster = 'yes' } catch (error) { faster = error.message }
      export default { faster, kind: typeof require, later: () => import('./later.ts') }`,
    'later.ts': 'export const answer = 42',
  })) as { faster: string; kind: string; later(): Promise<{ answer: number }> }
  assert.equal(value.faster, 'faster-native-thing is not installed')
  assert.equal(value.kind, 'undefined')
  assert.equal((await value.later()).answer, 42)
})

test("Node's built-in modules can be loaded and inherited from, and throw by name when used", async (t) => {
  const value = (await evaluated(t, {
    'index.ts': `
      import fs, { readFileSync } from 'node:fs'
      import { Transform } from 'stream'
      import * as http from 'http'
      import { promisify, inherits } from 'util'
      import { EventEmitter } from 'events'
      import assert from 'assert'
      import Old from './old.cjs'
      class Upper extends Transform {}
      class Agent extends http.Agent {}
      const read = promisify(fs.readFile)
      const emitter = new EventEmitter()
      const seen: unknown[] = []
      emitter.once('a', (value) => seen.push(value))
      emitter.emit('a', 1)
      emitter.emit('a', 2)
      export default {
        seen, assert, isOld: new Old() instanceof EventEmitter,
        made: [new Upper() instanceof Transform, new Agent() instanceof EventEmitter],
        uses: [() => readFileSync('/etc/passwd'), () => fs.promises.readFile('x'), () => http.get('x')],
        read: () => read('/etc/passwd'),
      }`,
    'old.cjs': `
      const events = require('events')
      function Old() { events.call(this) }
      require('util').inherits(Old, events)
      module.exports = Old`,
  })) as {
    seen: unknown[]
    isOld: boolean
    made: boolean[]
    uses: (() => unknown)[]
    read(): Promise<unknown>
    assert: (value: unknown, message: string) => void
  }
  assert.deepEqual([...value.seen], [1])
  assert.equal(value.isOld, true)
  assert.deepEqual([...value.made], [true, true])
  const names = ['fs.readFileSync', 'fs.promises.readFile', 'http.get']
  const messages = [...value.uses].map((use) => {
    try {
      use()
      return 'nothing'
    } catch (error) {
      return (error as Error).message
    }
  })
  assert.deepEqual(
    messages.map((message) => message.split(' of Node ')[0]),
    names,
  )
  await assert.rejects(value.read(), /^Error: fs\.readFile of Node is not available to plugins/)
  assert.throws(() => value.assert(false, 'it is false'), /it is false/)
})

test('a package of the name of a built-in module is taken when it is a dependency, or switched off', async (t) => {
  const value = await evaluated(t, {
    'package.json': JSON.stringify({
      name: 'vendor-plugin',
      version: '1.0.0',
      browser: { zlib: false },
    }),
    'index.ts': `
      import { own } from 'events'
      import zlib from 'zlib'
      export default { own, off: Object.keys(zlib).length }`,
    'node_modules/events/package.json': '{"name":"events","version":"1.0.0","main":"main.js"}',
    'node_modules/events/main.js': 'exports.own = true',
  })
  assert.deepEqual({ ...(value as object) }, { own: true, off: 0 })
})

test('a module that asks for its own folder is told one that leads nowhere', async (t) => {
  const value = await evaluated(t, {
    'index.ts': `import here from './here.cjs'
      export default [...here, import.meta.url]`,
    'here.cjs': 'module.exports = [__dirname, __filename, typeof __dirname]',
  })
  assert.deepEqual([...(value as string[])], ['/', '/plugin.js', 'string', 'file:///plugin.js'])
})

test('the way to reach the global object that old packages use keeps working', async (t) => {
  const value = await evaluated(
    t,
    {
      'index.ts': `export default Function('return this')().marker + new Function('return this')().marker`,
    },
    { marker: 21 },
  )
  assert.equal(value, 42)
})

const refusals: [string, string, RegExp][] = [
  [
    'computed import()',
    'const n = String(1)\nexport default () => import(n)',
    /index\.ts:2:22: import\(\) of a computed name/,
  ],
  [
    'import.meta',
    'export default () => import.meta.dirname',
    /index\.ts:1:22: import\.meta is not allowed/,
  ],
  [
    'import.defer()',
    'export default () => import.defer("./name.ts")',
    /index\.ts:1:29: Deferred imports .*; import modules by a constant name and as a whole/,
  ],
  [
    'import.source() of a computed name',
    'export default (n) => import.source(n)',
    /index\.ts:1:30: Source phase imports .*; import modules by a constant name/,
  ],
  [
    'import defer',
    'import defer * as later from "./name.ts"; export default later',
    /index\.ts:1:8: Deferred imports/,
  ],
  [
    'a comment of pages',
    'export default 1\n<!-- hidden',
    /index\.ts:2:1: Legacy HTML .*; write comments as \/\/ or/,
  ],
  [
    'a name spelled with escapes',
    'export default () => ev\\u0061l("1")',
    /index\.ts:1:22: eval\(\) is not allowed in a plugin; ship the code itself/,
  ],
  [
    'Function as a tag',
    'export default () => Function`return 1`',
    /index\.ts:1:22: code made at run time/,
  ],
  ['eval', 'export default () => eval("1")', /index\.ts:1:22: eval\(\)/],
  [
    'new Function',
    'export default () => new Function("a", "return a")',
    /index\.ts:1:22: code made at run time/,
  ],
  [
    'Function',
    'export default () => Function("return 1")',
    /index\.ts:1:22: code made at run time/,
  ],
  [
    'computed require()',
    'export default (n) => require(n)',
    /index\.ts:1:23: require\(\) of a computed name/,
  ],
  ['require passed on', 'export default (f) => f(require)', /index\.ts:1:25: require\(\)/],
  [
    'sloppy mode',
    'module.exports = { create() { with ({}) {} } }',
    /index\.ts:1:31: 'with' in strict mode/,
  ],
  ['text that tags see', 'export default () => String.raw`<!--`', /the text '<!--' is not allowed/],
  ['a missing module', 'import "./gone.ts"', /index\.ts:1:8: Could not resolve "\.\/gone\.ts"/],
  [
    'a missing package',
    'import "left-out"',
    /Could not resolve "left-out"; dependencies must be declared/,
  ],
  [
    'a web address',
    'import "https://cdn.example.org/x.js"',
    /"https:\/\/cdn\.example\.org\/x\.js" is an address/,
  ],
  [
    'an absolute path',
    'import "/etc/hosts.js"; import x from "/etc/passwd"; export default x',
    /Could not resolve|lies outside/,
  ],
  ['other kinds of files', 'import "./page.html"', /only \.ts, \.js and \.json files/],
  [
    'a native addon',
    'import x from "./fast.node"; export default x',
    /fast\.node is a native addon/,
  ],
  [
    'the validators of the SDK',
    'import "@fogbow/plugin-sdk/validate"',
    /is not for plugins at run time/,
  ],
  ['top-level await', 'await 1; export default {}', /Top-level await.*; wait in create\(\)/],
  [
    'no default export',
    'export const create = 1',
    /: No matching export.*export default definePlugin/,
  ],
  ['broken syntax', 'export default {', /index\.ts:1:17: /],
]

for (const [what, source, message] of refusals) {
  test(`${what} is refused with package, place and reason`, async (t) => {
    const files = { 'index.ts': source, 'page.html': '<p>', 'fast.node': '' }
    await assert.rejects(bundleOf(t, files), (error: FogbowError) => {
      assert.equal(error.code, 'configuration_error')
      assert.match(error.message, /^Package 'vendor-plugin@1\.0\.0': /)
      assert.match(error.message, message)
      return true
    })
  })
}

test('code nested too deeply is refused instead of ending the site', async (t) => {
  const source = `export default ${'['.repeat(15_000)}${']'.repeat(15_000)}`
  await assert.rejects(bundleOf(t, { 'index.ts': source }), {
    code: 'configuration_error',
    message: /code nested this deeply/,
  })
})

test('a bundle larger than allowed is refused', async (t) => {
  const files = { 'index.ts': `export default ${JSON.stringify('x'.repeat(2000))}` }
  await assert.rejects(bundleOf(t, files, { maxBundleBytes: 1000 }), {
    code: 'configuration_error',
    message: /its bundle has \d+ bytes, more than the 1000 allowed/,
  })
})

test('files outside the package are not read, whether by path, link or package', async (t) => {
  const folder = await temporaryFolder(t)
  const packageDir = join(folder, 'plugin')
  await writeFile(join(folder, 'secret.json'), '{"password":"hunter2"}')
  await mkdir(join(folder, 'node_modules/undeclared'), { recursive: true })
  await writeFile(join(folder, 'node_modules/undeclared/index.js'), 'module.exports = 1')
  await writePackage(packageDir, {
    'path.ts': 'import s from "../secret.json"; export default s',
    'link.ts': 'import s from "./link.json"; export default s',
    'folder.ts': 'import s from "./up/secret.json"; export default s',
    'package.ts': 'import s from "undeclared"; export default s',
    'import.ts': 'import s from "#secret"; export default s',
    'package.json':
      '{"name":"vendor-plugin","version":"1.0.0","imports":{"#secret":"./link.json"}}',
  })
  await symlink('../secret.json', join(packageDir, 'link.json'))
  await symlink('..', join(packageDir, 'up'))
  for (const entry of ['./path.ts', './link.ts', './folder.ts', './package.ts', './import.ts']) {
    await assert.rejects(buildBundle({ packageDir, entry }), {
      code: 'configuration_error',
      message: /lies outside the package and its declared dependencies/,
    })
  }
  const allowedRoots = [join(folder, 'node_modules/undeclared')]
  const { code } = await buildBundle({ packageDir, entry: './package.ts', allowedRoots })
  assert.equal(evaluate(code), 1)
})

test('neither a tsconfig.json nor a source map comment brings other files into play', async (t) => {
  const folder = await temporaryFolder(t)
  const map = { version: 3, sources: ['stolen.ts'], names: [], mappings: 'AAAA' }
  await writeFile(join(folder, 'outside.map'), JSON.stringify(map))
  await writeFile(join(folder, 'tsconfig.json'), '{"compilerOptions":{"baseUrl":"."}}')
  await writeFile(join(folder, 'aliased.js'), 'export default 1')
  const packageDir = join(folder, 'plugin')
  await writePackage(packageDir, {
    'index.js': 'export default () => eval("1")\n//# sourceMappingURL=../outside.map',
    'alias.ts': 'import a from "aliased"; export default a',
    'tsconfig.json': '{"extends":"../tsconfig.json"}',
  })
  await assert.rejects(buildBundle({ packageDir, entry: './index.js' }), {
    message: /: index\.js:1:22: eval/,
  })
  await assert.rejects(buildBundle({ packageDir, entry: './alias.ts' }), {
    message: /Could not resolve "aliased"/,
  })
})

test('every file that was read is listed with its size and time', async (t) => {
  const packageDir = await temporaryFolder(t)
  await writePackage(packageDir, {
    'index.ts': 'import { b } from "./b.ts"; export default b',
    'b.ts': 'export const b = 1',
    'unused.ts': 'export const c = 1',
  })
  const { inputs } = await buildBundle({ packageDir, entry: './index.ts' })
  assert.deepEqual(inputs.map(({ path }) => path).sort(), [
    join(packageDir, 'b.ts'),
    join(packageDir, 'index.ts'),
  ])
  for (const { path, size, mtimeMs } of inputs) {
    const now = await stat(path)
    assert.deepEqual({ size, mtimeMs }, { size: now.size, mtimeMs: now.mtimeMs })
  }
})

test('a package that takes too long to bundle is given up', async (t) => {
  const packageDir = await temporaryFolder(t)
  await writePackage(packageDir, { 'index.ts': 'export default 1' })
  await assert.rejects(buildBundle({ packageDir, entry: './index.ts' }, { timeoutMs: 1 }), {
    code: 'timeout',
    message: /was given up after 1 ms/,
  })
})
