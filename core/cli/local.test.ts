import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sdkVersion } from '@fogbow/plugin-sdk'
import { openUsersFile, verifyPassword } from '../identity/users-file.ts'
import { createHome, type Home } from './fixtures/run-cli.ts'

let home: Home
let dataDir: string

before(async () => {
  home = await createHome()
  dataDir = join(home.folder, 'data')
})
after(() => home.remove())

const findUser = async (name: string) => {
  const users = await openUsersFile(join(dataDir, 'users.json')).list()
  return users.find((user) => user.name === name)
}

test('a user is added with roles and a password from standard input, then found by it', async () => {
  const args = ['user', 'add', 'ann', '--role', 'admin', '--role', 'user', '--password-stdin']
  const env = { FOGBOW_DATA_DIR: dataDir }
  const added = await home.run(args, { env, input: 'correct horse\n' })
  assert.deepEqual([added.code, added.stdout, added.stderr], [0, '', ''])
  const ann = await findUser('ann')
  assert.deepEqual(ann?.roles, ['admin', 'user'])
  assert.equal(await verifyPassword({ password: ann?.password ?? '' }, 'correct horse'), true)
})

test('a generated password is printed, and is the one that counts', async () => {
  const args = ['user', 'add', 'bob', '--generate', '--data-dir', dataDir]
  const { code, stdout } = await home.run(args)
  assert.equal(code, 0)
  const bob = await findUser('bob')
  assert.equal(await verifyPassword({ password: bob?.password ?? '' }, stdout.trim()), true)

  const again = await home.run(['user', 'passwd', 'bob', '--generate', '--data-dir', dataDir])
  assert.notEqual(again.stdout, stdout)
})

test('users are disabled, enabled, listed without their hashes, and removed', async () => {
  const run = (...args: string[]) => home.run(['user', ...args, '--data-dir', dataDir])
  assert.equal((await run('disable', 'bob')).code, 0)
  const { stdout, cells } = await run('list')
  assert.deepEqual(cells, [
    ['NAME', 'ROLES', 'DISABLED'],
    ['ann', 'admin, user', 'false'],
    ['bob', '', 'true'].filter((cell) => cell !== ''),
  ])
  assert.doesNotMatch(stdout + (await run('list', '--json')).stdout, /scrypt/)
  assert.equal((await run('enable', 'bob')).code, 0)
  assert.equal((await findUser('bob'))?.disabled, false)
  assert.equal((await run('remove', 'bob')).code, 0)
  assert.equal(await findUser('bob'), undefined)
})

test('a user command that fails names the reason in one line and changes nothing', async () => {
  const before = await readFile(join(dataDir, 'users.json'), 'utf8')
  const run = (args: string[], input = '') =>
    home.run(['user', ...args, '--data-dir', dataDir], { input })
  const unknown = await run(['remove', 'eve'])
  assert.deepEqual([unknown.code, unknown.stderr], [1, "error: No local user is named 'eve'\n"])
  const short = await run(['add', 'eve', '--password-stdin'], 'short')
  assert.deepEqual(
    [short.code, short.stderr],
    [1, 'error: password: must have 8 to 1024 characters\n'],
  )
  const unasked = await run(['passwd', 'ann'])
  assert.equal(unasked.code, 2)
  assert.match(unasked.stderr, /give --password-stdin or --generate/)
  assert.equal(await readFile(join(dataDir, 'users.json'), 'utf8'), before)
})

/** The least that a configuration has to say. */
const siteOf = (packageName: string) => ({
  site: { id: 'site.example' },
  plugins: { local: { package: packageName } },
  aaa: {
    tokenGenerator: 'local',
    federationIdentity: 'local',
    authentication: 'local',
    authorization: 'local',
  },
  clouds: { lab: { plugin: 'local', mapper: 'local' } },
})

test('a configuration is checked by the rules of the site, which name file and key', async () => {
  const folder = join(home.folder, 'site')
  await mkdir(folder)
  const good = siteOf('x')
  const file = join(folder, 'fogbow.config.json')
  await writeFile(file, JSON.stringify(good))
  const found = await home.run(['config', 'check', '--json'], { cwd: folder })
  assert.equal(found.code, 0, found.stderr)
  const { site, clouds, dataDir: data } = JSON.parse(found.stdout)
  assert.deepEqual([site, clouds, data], ['site.example', ['lab'], join(folder, 'data')])

  await writeFile(file, JSON.stringify({ ...good, sight: {} }))
  const wrong = await home.run(['config', 'check', file])
  assert.equal(wrong.code, 1)
  assert.equal(wrong.stdout, '')
  assert.ok(wrong.stderr.startsWith(`error: ${file}: sight `), wrong.stderr)
})

test('a wrong port is refused before a site is started', async () => {
  const { code, stderr } = await home.run(['start', '--port', '70000'])
  assert.equal(code, 2)
  assert.match(stderr, /--port.*whole number from 0 to 65535/)
})

test('a plugin is installed from a folder, listed and removed again', async () => {
  const folder = join(home.folder, 'plugin')
  await mkdir(folder)
  const manifest = { sdk: `^${sdkVersion}`, kinds: ['quota'], entry: './index.ts' }
  const about = { name: 'fogbow-plugin-none', version: '1.2.3', type: 'module', license: 'MIT' }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...about, fogbow: manifest }))
  await writeFile(
    join(folder, 'index.ts'),
    `import { definePlugin } from '@fogbow/plugin-sdk'
export default definePlugin({ create: () => ({ quota: { getUserQuota: async () => ({}) } }) })`,
  )
  await writeFile(join(home.folder, 'fogbow.config.json'), JSON.stringify(siteOf('@vendor/local')))
  const run = (...args: string[]) =>
    home.run(['plugin', ...args, '--data-dir', dataDir], { cwd: home.folder })
  const unaccepted = await run('add', 'plugin')
  assert.deepEqual([unaccepted.code, unaccepted.stdout], [1, ''])
  assert.match(unaccepted.stderr, /was not accepted:\n {2}license MIT\n {2}level local\n/)
  assert.equal((await run('list')).cells.length, 1)
  const added = await run('add', 'plugin', '--yes')
  const change = 'Generation 1: install fogbow-plugin-none@1.2.3\n'
  assert.deepEqual([added.code, added.stdout], [0, change], added.stderr)
  assert.deepEqual((await run('list')).cells[1], ['fogbow-plugin-none', '1.2.3', 'quota', folder])
  assert.equal((await run('remove', 'fogbow-plugin-none', '--yes')).code, 0)
  assert.equal((await run('list')).cells.length, 1)
  const again = await run('remove', 'fogbow-plugin-none')
  assert.equal(again.code, 1)
  assert.match(again.stderr, /fogbow-plugin-none/)
})
