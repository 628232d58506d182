import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { buildBundle } from './build-bundle.ts'
import { readConfined } from './confined-files.ts'
import { evaluate, temporaryFolder, writePackage } from './fixtures/packages.ts'

const MARKER = 'what-nobody-may-see'

/** A folder with a file that no bundle may contain, in several forms, and a package beside it. */
async function besideSecret(t: TestContext, files: Record<string, string>) {
  const folder = await temporaryFolder(t)
  const packageDir = join(folder, 'plugin')
  await writeFile(join(folder, 'secret.js'), `export default '${MARKER}'`)
  await writeFile(join(folder, 'secret.json'), `{"default":"${MARKER}"}`)
  await writePackage(packageDir, files)
  return { folder, packageDir }
}

/** @returns the bundle's code, or why there is none; either without the marker */
async function attempt(packageDir: string, entry = './index.js'): Promise<string> {
  const outcome = await buildBundle({ packageDir, entry }).then(
    ({ code }) => code,
    (error: Error) => error.message,
  )
  assert.ok(!outcome.includes(MARKER), outcome)
  return outcome
}

/** An archive of one file, not compressed (PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16). */
function zipOf(name: string, text: string): Buffer {
  const fields = (...values: [bytes: 2 | 4, value: number][]) =>
    Buffer.concat(
      values.map(([bytes, value]) => {
        const field = Buffer.alloc(bytes)
        field.writeUIntLE(value, 0, bytes)
        return field
      }),
    )
  const size = Buffer.byteLength(text)
  const common = fields(
    [2, 20],
    [2, 0],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, crc32(text)],
    [4, size],
    [4, size],
    [2, name.length],
    [2, 0],
  )
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name + text)])
  const entry = Buffer.concat([
    Buffer.from('PK\x01\x02'),
    fields([2, 20]),
    common,
    fields([2, 0], [2, 0], [2, 0], [4, 0], [4, 0]),
    Buffer.from(name),
  ])
  const end = fields([2, 0], [2, 0], [2, 1], [2, 1], [4, entry.length], [4, local.length], [2, 0])
  return Buffer.concat([local, entry, Buffer.from('PK\x05\x06'), end])
}

const identity = (more: object) =>
  JSON.stringify({ name: 'vendor-plugin', version: '1.0.0', ...more })

const OUTSIDE = /lies outside the package and its declared dependencies/

/** Files of a package that try to get at `../secret.js`, and what becomes of it. */
const attempts: [string, Record<string, string>, RegExp][] = [
  ['a relative path', { 'index.js': 'export { default } from "../secret.js"' }, OUTSIDE],
  ['an absolute path', { 'index.js': 'export { default } from "FOLDER/secret.js"' }, OUTSIDE],
  [
    'an absolute path as an address of a file',
    { 'index.js': 'export { default } from "file://FOLDER/secret.js"' },
    /is an address/,
  ],
  ['JSON', { 'index.js': 'export { default } from "../secret.json"' }, OUTSIDE],
  [
    'JSON as text',
    { 'index.js': 'import s from "../secret.json" with { type: "text" }; export default s' },
    /import attribute type: 'text' is not supported/,
  ],
  [
    'bytes',
    { 'index.js': 'import s from "../secret.js" with { type: "bytes" }; export default s' },
    /import attribute type: 'bytes' is not supported/,
  ],
  [
    'a name with a query',
    { 'index.js': 'export { default } from "../secret.js?raw#text"' },
    OUTSIDE,
  ],
  ['require', { 'index.js': 'module.exports = require("../secret.js")' }, OUTSIDE],
  ['import()', { 'index.js': 'export default () => import("../secret.js")' }, OUTSIDE],
  [
    'a pattern of names',
    { 'index.js': 'export default (name) => import("../secret." + name)' },
    OUTSIDE,
  ],
  [
    'require of a pattern of names in its own folder and above',
    { 'index.js': 'export default (name) => require("./../" + name + ".js")' },
    /lies outside|only \.ts/,
  ],
  [
    'new URL beside the module',
    { 'index.js': 'export default new URL("../secret.js", import.meta.url).href' },
    /"\.\.\/secret\.js"/,
  ],
  [
    'the imports field of package.json',
    {
      'index.js': 'export { default } from "#secret"',
      'package.json': identity({ imports: { '#secret': '../secret.js' } }),
    },
    /Could not resolve "#secret"/,
  ],
  [
    'the exports field of a dependency',
    {
      'index.js': 'export { default } from "inner"',
      'node_modules/inner/package.json': '{"name":"inner","exports":"./../../../secret.js"}',
    },
    /Could not resolve "inner"/,
  ],
  [
    'the main field of a dependency',
    {
      'index.js': 'export { default } from "inner"',
      'node_modules/inner/package.json': '{"name":"inner","main":"../../../secret.js"}',
    },
    OUTSIDE,
  ],
  [
    'the browser field',
    {
      'index.js': 'export { default } from "./own.js"',
      'own.js': 'export default 1',
      'package.json': identity({ browser: { './own.js': './../secret.js' } }),
    },
    OUTSIDE,
  ],
  [
    'the browser field for a package',
    {
      'index.js': 'export { default } from "left-out"',
      'package.json': identity({ browser: { 'left-out': '../secret.js' } }),
    },
    OUTSIDE,
  ],
  [
    'its own name with exports',
    {
      'index.js': 'export { default } from "vendor-plugin/secret"',
      'package.json': identity({ exports: { './secret': './../secret.js' } }),
    },
    /Could not resolve "vendor-plugin\/secret"/,
  ],
  [
    'paths of tsconfig.json',
    {
      'index.ts': 'export { default } from "aliased"',
      'tsconfig.json': '{"compilerOptions":{"baseUrl":"..","paths":{"aliased":["secret.js"]}}}',
    },
    /Could not resolve "aliased"/,
  ],
  [
    'a tsconfig.json that extends another',
    {
      'index.ts': 'export { default } from "aliased"',
      'base.json': '{"compilerOptions":{"paths":{"aliased":["FOLDER/secret.js"]}}}',
      'tsconfig.json': '{"extends":"./base.json"}',
    },
    /Could not resolve "aliased"/,
  ],
  [
    'a source map comment',
    {
      'index.js': 'export default () => eval("1")\n//# sourceMappingURL=../secret.json',
    },
    /: index\.js:1:22: eval/,
  ],
  [
    'a source map comment in a dependency, with a map that names other files',
    {
      'index.js': 'export { default } from "./mapped.js"',
      'mapped.js': 'export default () => eval("1") //# sourceMappingURL=map.json',
      'map.json': '{"version":3,"sources":["../secret.js"],"names":[],"mappings":"AAAA"}',
    },
    /: mapped\.js:1:22: eval/,
  ],
  [
    'code in a data: address',
    {
      'index.js':
        'export { default } from "data:text/javascript,export{default}from\'../secret.js\'"',
    },
    /data: addresses cannot be imported/,
  ],
  [
    'style sheets that import',
    {
      'index.js': 'import "./look.css"; export default 1',
      'look.css': '@import "../secret.js"; a { background: url(../secret.js) }',
    },
    /only \.ts, \.js and \.json files/,
  ],
  [
    'a loader named in the path',
    { 'index.js': 'export { default } from "text!../secret.js"' },
    /Could not resolve/,
  ],
  [
    'an extension in capitals',
    { 'index.js': 'export { default } from "./own.JS"', 'own.JS': 'export default 1' },
    /only \.ts, \.js and \.json files/,
  ],
  [
    'a comment that names the origin of elements',
    {
      'index.js':
        '/** @jsx h @jsxImportSource ../secret */\n/// <reference path="../secret.js" />\nexport default 1',
    },
    /var .*=1|default/,
  ],
]

for (const [what, files, outcome] of attempts) {
  test(`a file outside does not get into a bundle through ${what}`, async (t) => {
    const { folder, packageDir } = await besideSecret(t, {})
    const filled = Object.entries(files).map(([name, text]) => [
      name,
      text.replace('FOLDER', folder),
    ])
    await writePackage(packageDir, Object.fromEntries(filled))
    const entry = 'index.ts' in files ? './index.ts' : './index.js'
    assert.match(await attempt(packageDir, entry), outcome)
  })
}

test('a file outside does not get into a bundle through links, wherever they are', async (t) => {
  const { folder, packageDir } = await besideSecret(t, {
    'file.js': 'export { default } from "./linked.js"',
    'folder.js': 'export { default } from "./up/secret.js"',
    'chain.js': 'export { default } from "./first.js"',
    'dependency.js': 'export { default } from "linked-package"',
    'map.js': 'export default () => eval("1")\n//# sourceMappingURL=linked.map',
  })
  await mkdir(join(packageDir, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{"name":"linked-package","main":"secret.js"}')
  await symlink('../secret.js', join(packageDir, 'linked.js'))
  await symlink('../secret.json', join(packageDir, 'linked.map'))
  await symlink('..', join(packageDir, 'up'))
  await symlink('linked.js', join(packageDir, 'first.js'))
  await symlink(folder, join(packageDir, 'node_modules/linked-package'))
  for (const entry of [
    './file.js',
    './folder.js',
    './chain.js',
    './dependency.js',
    './linked.js',
  ]) {
    assert.match(await attempt(packageDir, entry), OUTSIDE)
  }
  assert.match(await attempt(packageDir, './map.js'), /: map\.js:1:22: eval/)
})

test('a file outside does not get into a bundle as or through the description of the package', async (t) => {
  const { packageDir } = await besideSecret(t, { 'index.js': 'export default 1' })
  await unlink(join(packageDir, 'package.json'))
  await symlink('../secret.json', join(packageDir, 'package.json'))
  assert.match(await attempt(packageDir), /has no package\.json of its own/)
  await unlink(join(packageDir, 'package.json'))
  await writeFile(join(packageDir, 'package.json'), `not ${MARKER}`)
  assert.match(await attempt(packageDir), /has no package\.json of its own/)
})

test('a file outside does not get into a bundle out of an archive', async (t) => {
  const { folder, packageDir } = await besideSecret(t, {
    'index.js': 'export { default } from "../archive.zip/secret.js"',
    'inside.js': 'export { default } from "./archive.zip/secret.js"',
    'pnp.js': 'export { default } from "archived"',
    '.pnp.data.json': JSON.stringify({
      enableTopLevelFallback: true,
      fallbackPool: [['archived', 'npm:1']],
      packageRegistryData: [
        [null, [[null, { packageLocation: './', packageDependencies: [['archived', 'npm:1']] }]]],
        ['archived', [['npm:1', { packageLocation: '../archive.zip/', packageDependencies: [] }]]],
      ],
    }),
  })
  const archive = zipOf('secret.js', `export default '${MARKER}'`)
  await writeFile(join(folder, 'archive.zip'), archive)
  await writeFile(join(packageDir, 'archive.zip'), archive)
  for (const entry of ['./index.js', './inside.js', './pnp.js']) {
    assert.match(await attempt(packageDir, entry), /cannot be read|archive\.zip: only \.ts/)
  }
})

test('a package of the same name or an undeclared one above does not get into a bundle', async (t) => {
  const { folder, packageDir } = await besideSecret(t, {
    'self.js': 'export { default } from "vendor-plugin"',
    'other.js': 'export { default } from "undeclared"',
    'buffer.js': 'export { default } from "buffer"',
  })
  for (const name of ['vendor-plugin', 'undeclared', 'buffer']) {
    const files = {
      'package.json': `{"name":"${name}","main":"main.js"}`,
      'main.js': `module.exports = '${MARKER}'`,
    }
    await writePackage(join(folder, 'node_modules', name), files)
  }
  assert.match(await attempt(packageDir, './self.js'), OUTSIDE)
  assert.match(await attempt(packageDir, './other.js'), OUTSIDE)
  // The gate's own is taken instead.
  assert.match(await attempt(packageDir, './buffer.js'), /isUtf8/)
})

test('folders whose names only begin like that of the package are outside', async (t) => {
  const { folder, packageDir } = await besideSecret(t, {
    'index.js': 'export { default } from "../plugin-evil/index.js"',
    'case.js': 'export { default } from "../PLUGIN/index.js"',
  })
  for (const name of ['plugin-evil', 'PLUGIN']) {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'index.js'), `export default '${MARKER}'`)
  }
  assert.match(await attempt(packageDir), OUTSIDE)
  assert.match(await attempt(packageDir, './case.js'), OUTSIDE)
})

test('NODE_PATH and the folder that the site runs in play no part', async (t) => {
  const { folder, packageDir } = await besideSecret(t, {
    'index.js': 'export { default } from "secret.js"',
  })
  process.env.NODE_PATH = folder
  t.after(() => delete process.env.NODE_PATH)
  assert.match(await attempt(packageDir), /Could not resolve "secret\.js"/)
})

test('pipes and folders are refused instead of waited for', async (t) => {
  const { packageDir } = await besideSecret(t, {
    'index.js': 'export { default } from "./pipe.js"',
  })
  execFileSync('mkfifo', [join(packageDir, 'pipe.js')])
  assert.match(await attempt(packageDir), /pipe\.js is not a file/)
})

test('a link that is turned elsewhere between being opened and being read changes nothing', async (t) => {
  const { packageDir } = await besideSecret(t, { 'index.js': 'export default 1' })
  const path = join(packageDir, 'index.js')
  let turning = true
  const turn = async () => {
    while (turning) {
      await rm(path, { force: true })
      await symlink('../secret.js', path)
      await writeFile(join(packageDir, 'new.js'), 'export default 1')
      await rename(join(packageDir, 'new.js'), path)
    }
  }
  const turned = turn()
  let inside = 0
  for (let attempts = 0; attempts < 400; attempts++) {
    const read = await readConfined(path, [packageDir])
    if ('contents' in read) {
      inside++
      assert.equal(read.contents.toString(), 'export default 1')
      assert.ok(read.input.path.startsWith(packageDir))
    } else assert.match(read.problem, /lies outside|cannot be read/)
  }
  turning = false
  await turned
  assert.ok(inside > 0)
})

test('modules that a browser field switches off stay empty, whatever they contain', async (t) => {
  const { packageDir } = await besideSecret(t, {
    'index.js': `
      import * as path from './node-only.js'
      import * as bare from './node-only'
      import * as index from './lib'
      import * as dependency from 'inner'
      import * as absent from 'absent'
      export default [path, bare, index, dependency, absent].map((found) => Object.keys(found.default ?? {}).length)`,
    'node-only.js': `exports.secret = '${MARKER}'`,
    'lib/index.js': `exports.secret = '${MARKER}'`,
    'node_modules/inner/package.json': '{"name":"inner","main":"main.js"}',
    'node_modules/inner/main.js': `exports.secret = '${MARKER}'`,
    'package.json': identity({
      browser: { './node-only.js': false, './lib': false, inner: false, absent: false },
    }),
  })
  const code = await attempt(packageDir)
  assert.deepEqual([...(evaluate(code) as number[])], [0, 0, 0, 0, 0])
})
