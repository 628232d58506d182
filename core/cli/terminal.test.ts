import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createHome, type Home, runOnTerminal } from './fixtures/run-cli.ts'
import { type StubSite, startStubSite } from './fixtures/stub-site.ts'

let home: Home
let site: StubSite

before(async () => {
  home = await createHome()
  site = await startStubSite({
    'POST /as/tokens': { status: 201, body: { token: 'secret-token' } },
    'GET /ras/volumes/status': { body: [{ instanceId: 'v-1', state: 'READY' }] },
    'GET /ras/publicIps/p-1': { body: { state: 'CREATING' } },
    'GET /ras/publicIps/status': [
      { body: [{ instanceId: 'p-1', state: 'CREATING' }] },
      { body: [{ instanceId: 'p-1', state: 'READY' }] },
    ],
  })
})
after(async () => {
  await site.close()
  await home.remove()
})

const env = () => ({
  XDG_CONFIG_HOME: home.folder,
  FOGBOW_URL: site.url,
  FOGBOW_TOKEN: 'token',
})
const ESC = '\u001b'

test('states are coloured on a terminal', async () => {
  const { code, screen } = await runOnTerminal(['volume', 'list'], env())
  assert.equal(code, 0)
  assert.ok(screen.includes(`${ESC}[32mREADY${ESC}[39m`), screen)
})

test('with NO_COLOR, and without a terminal, there are no colours', async () => {
  const { screen } = await runOnTerminal(['volume', 'list'], { ...env(), NO_COLOR: '1' })
  assert.match(screen, /READY/)
  assert.ok(!screen.includes(ESC), screen)
  const { stdout } = await home.run(['volume', 'list'], { env: env() })
  assert.ok(!stdout.includes(ESC), stdout)
})

test('waiting shows state and time in one line, which is gone in the end', async () => {
  const { code, screen } = await runOnTerminal(['public-ip', 'wait', 'p-1'], env())
  assert.equal(code, 0)
  assert.match(screen, /Public IP p-1: CREATING, \d+ s/)
  assert.ok(screen.endsWith(`\r${ESC}[2K`), JSON.stringify(screen))
})

test('user name and password are asked for, and the password is not shown', async () => {
  const { code, screen } = await runOnTerminal(['login'], env(), [
    [/User name: /, 'ann'],
    [/Password: /, 'correct horse'],
  ])
  assert.equal(code, 0, screen)
  assert.match(screen, /User name: .*ann/)
  assert.doesNotMatch(screen, /correct|horse/)
  assert.deepEqual(site.requests.at(-1)?.body, {
    credentials: { username: 'ann', password: 'correct horse' },
  })
})

test('two passwords that differ make no user', async () => {
  const dataDir = `${home.folder}/data`
  const args = ['user', 'add', 'ann', '--data-dir', dataDir]
  const { code, screen } = await runOnTerminal(args, env(), [
    [/Password: /, 'correct horse'],
    [/Again: /, 'correct house'],
  ])
  assert.equal(code, 2)
  assert.match(screen, /The two passwords differ/)
  const { stdout } = await home.run(['user', 'list', '--data-dir', dataDir, '--json'])
  assert.deepEqual(JSON.parse(stdout), [])
})
