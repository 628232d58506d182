import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder, writeFiles } from '../fixtures/packages.ts'
import { componentsOf } from './components.ts'

const input = (path: string) => ({ path, size: 0, mtimeMs: 0 })
const packageOf = (name: string, version: string, license: unknown) =>
  JSON.stringify({ name, version, license })

test('every package of which a file was bundled is listed once, wherever it lies, and no other', async (t) => {
  const root = await temporaryFolder(t)
  const folder = join(root, 'plugin')
  const workspace = join(root, 'shared')
  await writeFiles(root, {
    'plugin/package.json': packageOf('plugin', '1.0.0', 'MIT'),
    'plugin/node_modules/a/package.json': packageOf('a', '1.0.0', 'ISC'),
    'plugin/node_modules/a/lib/package.json': '{"type":"module"}',
    'plugin/node_modules/@s/b/package.json': packageOf('@s/b', '2.0.0', { type: 'BSD-3-Clause' }),
    'plugin/node_modules/a/node_modules/@s/b/package.json': packageOf('@s/b', '1.0.0', undefined),
    'plugin/node_modules/unused/package.json': packageOf('unused', '1.0.0', 'ISC'),
    'shared/package.json': packageOf('@corp/shared', '0.1.0', 'Apache-2.0'),
  })
  const inputs = [
    'plugin/index.js',
    'plugin/lib/deep.js',
    'plugin/node_modules/a/lib/index.js',
    'plugin/node_modules/a/other.js',
    'plugin/node_modules/@s/b/index.js',
    'plugin/node_modules/a/node_modules/@s/b/index.js',
    'shared/src/index.ts',
    'elsewhere/sdk.js',
  ].map((path) => input(join(root, path)))
  const integrities = new Map([[join(folder, 'node_modules/a'), 'sha512-a']])
  assert.deepEqual(await componentsOf(inputs, { folder, dependencies: [workspace], integrities }), [
    { name: '@corp/shared', version: '0.1.0', license: 'Apache-2.0' },
    { name: '@s/b', version: '1.0.0', license: 'not stated' },
    { name: '@s/b', version: '2.0.0', license: 'BSD-3-Clause' },
    { name: 'a', version: '1.0.0', license: 'ISC', integrity: 'sha512-a' },
  ])
})
