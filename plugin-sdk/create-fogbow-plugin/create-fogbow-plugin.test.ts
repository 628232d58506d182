import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { pluginKinds, sdkVersion } from '@fogbow/plugin-sdk'
import { conformanceInProcess } from '@fogbow/plugin-sdk/testing'
import { createPlugin } from './index.ts'

const root = join(import.meta.dirname, '../..')
const command = join(import.meta.dirname, 'create-fogbow-plugin.mjs')
const vendorCommand = join(root, 'registry/vendor/fogbow-plugin.mjs')
const compiler = join(root, 'node_modules/typescript/bin/tsc')

interface Run {
  exitCode: number
  stdout: string
  stderr: string
}

let home: string

before(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'fogbow-create-')))
  // As npm installs it: what a plugin depends on is found above it.
  await symlink(join(root, 'node_modules'), join(home, 'node_modules'))
})
after(() => rm(home, { recursive: true }))

function run(args: string[], cwd = home): Promise<Run> {
  // Or tests of a test would report to the runner of this one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd, env }, (error, stdout, stderr) => {
      resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr })
    })
  })
}

/** Names of the cases that failed, and how many passed. */
async function tried(folder: string): Promise<{ failed: string[]; passed: number }> {
  const { default: plugin } = await import(pathToFileURL(join(folder, 'index.ts')).href)
  const settings = JSON.parse(await readFile(join(folder, 'fogbow.conformance.json'), 'utf8'))
  const fields = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const failed: string[] = []
  let passed = 0
  for (const each of await conformanceInProcess(plugin, settings, fields.fogbow.kinds)) {
    if (each.skip !== undefined) continue
    await each.run().then(
      () => passed++,
      (error: Error) => failed.push(`${each.kind}: ${each.name}: ${error.message}`),
    )
  }
  return { failed, passed }
}

describe('what is written', () => {
  for (const kind of pluginKinds) {
    test(`a plugin of the one kind ${kind} holds its contract`, async () => {
      const folder = join(home, `only-${kind}`)
      await createPlugin({ name: `@vendor/only-${kind.toLowerCase()}`, kinds: [kind], folder })
      const { failed, passed } = await tried(folder)
      assert.deepEqual(failed, [])
      assert.ok(passed >= 2, `only ${passed} cases could be run`)
    })
  }

  test('a plugin of all kinds at once holds all contracts, and the compiler has no complaint', async () => {
    const folder = join(home, 'everything')
    await createPlugin({ name: 'everything', kinds: pluginKinds, folder })
    assert.deepEqual((await tried(folder)).failed, [])
    const types = await run([compiler, '--project', folder, '--types', 'node'])
    assert.equal(types.exitCode, 0, types.stdout)
  })

  test('its own tests pass, by the command that its package.json names', async () => {
    const folder = join(home, 'with-tests')
    await createPlugin({ name: 'with-tests', folder })
    const { scripts } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const [program, ...args] = scripts.test.split(' ')
    assert.equal(program, 'node')
    const { exitCode, stdout } = await run([...args, '--test-reporter=tap'], folder)
    assert.equal(exitCode, 0, stdout)
    assert.match(stdout, /# pass [1-9]\d/)
  })

  test('the marketplace finds nothing wrong but the README of the template', async () => {
    const folder = join(home, 'validated')
    await createPlugin({ name: '@acme/validated', folder })
    const { stdout, stderr } = await run([vendorCommand, 'validate', folder, '--offline', '--json'])
    const { results } = JSON.parse(stdout || stderr) as {
      results: { rule: string; severity: string; outcome: string }[]
    }
    const failed = results.filter(({ outcome }) => outcome === 'failed')
    const names = (severity: string) =>
      failed.filter((result) => result.severity === severity).map(({ rule }) => rule)
    assert.deepEqual(names('error'), ['readme-own'])
    assert.deepEqual(names('warning'), ['author', 'repository'])
  })

  test('it depends on the SDK by a range that lets corrections in', async () => {
    const folder = join(home, 'dependent')
    await createPlugin({ name: 'dependent', kinds: ['image'], folder })
    const fields = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    assert.equal(fields.fogbow.sdk, `^${sdkVersion}`)
    assert.deepEqual(fields.dependencies, { '@fogbow/plugin-sdk': `^${sdkVersion}` })
    assert.deepEqual(fields.fogbow.kinds, ['image', 'health'])
  })
})

describe('the command', () => {
  test('takes kinds as a list or one by one, and says what is next', async () => {
    const args = ['@acme/cloud', '--kind', 'image,spec', '--kind', 'quota']
    const { exitCode, stdout, stderr } = await run([command, ...args])
    assert.equal(exitCode, 0, stderr)
    assert.match(stdout, /cd cloud\n {2}npm install/)
    const files = await readdir(join(home, 'cloud'))
    for (const file of ['image.ts', 'spec.ts', 'quota.ts', '.gitignore', 'LICENSE'])
      assert.ok(files.includes(file), `${file} is missing: ${files.join(', ')}`)
  })

  test('a folder that is not empty is refused, and left as it is', async () => {
    await mkdir(join(home, 'occupied'))
    await writeFile(join(home, 'occupied', 'mine.txt'), 'mine')
    const { exitCode, stderr } = await run([command, 'occupied'])
    assert.equal(exitCode, 1)
    assert.match(stderr, /occupied is not empty/)
    assert.deepEqual(await readdir(join(home, 'occupied')), ['mine.txt'])
  })

  test('a folder that is there and empty is used', async () => {
    await mkdir(join(home, 'empty'))
    const { exitCode } = await run([command, 'some-name', '--folder', 'empty', '--kind', 'health'])
    assert.equal(exitCode, 0)
    assert.ok((await readdir(join(home, 'empty'))).includes('health.ts'))
  })

  const refusals: [why: string, args: string[], message: RegExp][] = [
    [
      'a kind that does not exist',
      ['x', '--kind', 'cloud'],
      /there is no 'cloud'; kinds are token/,
    ],
    ['a name with a path in it', ['../x'], /'\.\.\/x' is no npm name/],
    ['a name in upper case', ['Acme'], /'Acme' is no npm name/],
    ['no name', [], /Usage: npm create fogbow-plugin/],
    ['an option that does not exist', ['x', '--kinds', 'image'], /--kinds/],
  ]
  for (const [why, args, message] of refusals) {
    test(`${why} is refused, and nothing is written`, async () => {
      const present = await readdir(home)
      const { exitCode, stderr } = await run([command, ...args])
      assert.equal(exitCode, 1)
      assert.match(stderr, message)
      assert.deepEqual(await readdir(home), present)
    })
  }
})
