import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

/** The command as a vendor has it: every package of the project below `node_modules`, where Node strips no types. */

const root = join(import.meta.dirname, '../..')
const workspaces = ['plugin-sdk', 'sandbox', 'registry']
/** What the thread for schemas loads, which may read its own `node_modules` and nothing else. */
const copied = new Set([
  'ajv',
  'fast-deep-equal',
  'fast-uri',
  'json-schema-traverse',
  'require-from-string',
])

let home: string
let modules: string

before(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'fogbow-installed-')))
  modules = join(home, 'node_modules')
  await mkdir(join(modules, '@fogbow'), { recursive: true })
  for (const name of await readdir(join(root, 'node_modules'))) {
    const from = join(root, 'node_modules', name)
    if (name === '@fogbow' || name.startsWith('.')) continue
    if (copied.has(name)) await cp(from, join(modules, name), { recursive: true })
    else await symlink(from, join(modules, name))
  }
  for (const name of workspaces)
    await cp(join(root, name), join(modules, '@fogbow', name), { recursive: true })
})
after(() => rm(home, { recursive: true }))

function run(args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const command = join(modules, '@fogbow/registry/vendor/fogbow-plugin.mjs')
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], { cwd: home }, (error, stdout, stderr) =>
      resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr }),
    )
  })
}

test('tests, in a sandbox too, and packs a plugin, and prints nothing that is not asked for', async () => {
  const folder = join(home, 'healthy')
  await mkdir(folder)
  const config = { type: 'object', properties: { url: { type: 'string' } } }
  const fogbow = { sdk: '^0.1.0', kinds: ['health'], entry: './index.ts', config }
  const fields = { name: 'healthy', version: '1.0.0', type: 'module', fogbow }
  await writeFile(join(folder, 'package.json'), JSON.stringify(fields))
  await writeFile(
    join(folder, 'index.ts'),
    `import { definePlugin } from '@fogbow/plugin-sdk'
export default definePlugin({ create: () => ({ health: { check: async (): Promise<void> => {} } }) })`,
  )
  const tested = await run(['test', folder])
  assert.deepEqual([tested.exitCode, tested.stderr], [0, ''], tested.stdout)
  assert.match(tested.stdout, /7 passed, 0 failed, 0 not run/)

  assert.equal((await run(['key', 'v.key'])).exitCode, 0)
  const packed = await run(['pack', folder, '--key', 'v.key'])
  assert.deepEqual([packed.exitCode, packed.stderr], [0, ''])
  assert.match(packed.stdout, /healthy-1\.0\.0\.tgz/)
})
