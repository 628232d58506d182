import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { AUDIENCE, MACHINE } from './support/oidc-provider.ts'
import { runOidcSite, SOURCE } from './support/oidc-site.ts'
import { Visitor } from './support/visitor.ts'

/** Command lines and machines, which have no browser, at a real site with the real provider. */

const site = runOidcSite({ settings: { claims: { roles: { default: ['user'] } } } })
const command = join(import.meta.dirname, '../../core/cli/bin.mjs')
const home = mkdtempSync(join(tmpdir(), 'fogbow-home-'))
after(() => rmSync(home, { recursive: true, force: true }))

interface RunningCommand {
  /** The first group of a pattern, once it was printed. */
  says(pattern: RegExp): Promise<string>
  ended: Promise<{ code: number | null; output: string }>
}

function fogbow(...args: string[]): RunningCommand {
  const child = spawn(process.execPath, [command, ...args], {
    env: { PATH: process.env.PATH, XDG_CONFIG_HOME: home, FOGBOW_URL: site.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let look = () => {}
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
      look()
    })
  const ended = new Promise<{ code: number | null; output: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, output })),
  )
  return {
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        look = () => {
          const match = pattern.exec(output)
          if (match) resolve(match[1] ?? match[0])
        }
        void ended.then(() => reject(new Error(`it did not say ${pattern}:\n${output}`)))
        look()
      }),
  }
}

/** Types the code at the provider, logs in and confirms. */
async function confirm(url: string, userCode: string): Promise<string> {
  const fields = { user_code: userCode, login: 'ana', password: 'any' }
  return (await new Visitor().visit(url, fields)).text
}

test('the command line logs in by a code that is entered at the provider', async () => {
  const login = fogbow('login', '--device')
  const userCode = await login.says(/enter the code (\S+)/)
  const address = await login.says(/Open (\S+) in a browser/)
  assert.ok(address.startsWith(`${site.provider.issuer}/`), address)
  assert.match(await confirm(address, userCode), /Sign-in Success/i)
  const { code, output } = await login.ended
  assert.equal(code, 0, output)
  assert.match(output, /Logged in to/)

  const whoami = await fogbow('whoami', '--json').ended
  const user = JSON.parse(whoami.output)
  assert.deepEqual([user.id, user.name, user.roles], ['ana', 'Ana Souza', ['user']])
  assert.equal(user.identityProviderId, site.provider.issuer)
  const { token } = JSON.parse(readFileSync(join(home, 'fogbow', 'session.json'), 'utf8'))
  assert.ok(!site.process.output.includes(token))

  assert.equal((await fogbow('compute', 'list').ended).code, 0)
  assert.equal((await fogbow('logout').ended).code, 0)
  const client = site.process.client()
  client.token = token
  assert.equal((await client.get('/as/user')).status, 401)
})

test('who refuses at the provider ends the login of the command', async () => {
  const login = fogbow('login', '--device')
  const address = await login.says(/or open (\S+)/)
  const visitor = new Visitor()
  // The form of the code leads to one that asks whether it is the right device.
  await visitor.refuseDevice(address)
  const { code, output } = await login.ended
  assert.equal(code, 3, output)
  assert.match(output, /refused there[\s\S]*begin again with: fogbow login --device/)
})

const device = `/as/login/${SOURCE}/device`

async function beginDevice() {
  const { status, body } = await site.process.client().post(device)
  assert.equal(status, 201)
  return body as Record<string, unknown> & { handle: string; intervalSeconds: number }
}

const poll = (handle: unknown) => site.process.client().post(`${device}/token`, { handle })

test('a program that asks too often is told to slow down, and the provider is not asked for it', async () => {
  const { handle, intervalSeconds } = await beginDevice()
  site.provider.asked.length = 0
  const first = await poll(handle)
  assert.deepEqual(first.body, { status: 'slow_down', intervalSeconds: intervalSeconds + 5 })
  const second = await poll(handle)
  assert.deepEqual(second.body, { status: 'slow_down', intervalSeconds: intervalSeconds + 10 })
  assert.deepEqual(site.provider.asked, [])
})

test('what is shown of a device login is not what the provider redeems', async () => {
  const begun = await beginDevice()
  assert.deepEqual(Object.keys(begun).sort(), [
    'expiresInSeconds',
    'handle',
    'intervalSeconds',
    'userCode',
    'verificationUri',
    'verificationUriComplete',
  ])
  const { status, body } = await poll('made-up')
  assert.equal(status, 401)
  assert.match((body as { message: string }).message, /begin again/)
  for (const handle of [undefined, 5, ''])
    assert.equal((await poll(handle)).status, 400, String(handle))
  const elsewhere = await site.process
    .client()
    .post('/as/login/nobody/device/token', { handle: begun.handle })
  assert.equal(elsewhere.status, 401)
})

test('which ways there are to log in is told to everybody', async () => {
  const { body } = await site.process.client().get('/as/login')
  assert.deepEqual(body, { sources: [{ name: SOURCE, devices: true }], passwords: false })
})

test('a machine logs in with its client credentials, and orders', async () => {
  const client = site.process.client()
  const { status, body } = await client.post('/as/tokens', { credentials: MACHINE, publicKey: '' })
  assert.equal(status, 201)
  client.token = (body as { token: string }).token
  const user = (await client.get('/as/user')).body as { id: string; roles: string[] }
  assert.deepEqual([user.id, user.roles], ['client:robot', ['user']])
  const order = { name: 'by-robot', imageId: 'debian-12', vCPU: 1, ram: 512, disk: 3 }
  assert.equal((await client.post('/ras/computes', order)).status, 201)
  const wrong = { ...MACHINE, clientSecret: 'wrong' }
  assert.equal((await client.post('/as/tokens', { credentials: wrong })).status, 401)
})

test('an access token of the provider is a token of the site, until it is logged out here', async () => {
  const response = await fetch(`${site.provider.issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${MACHINE.clientId}:${encodeURIComponent(MACHINE.clientSecret)}`)}`,
    },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'compute',
      resource: AUDIENCE,
    }),
  })
  const client = site.process.client()
  client.token = ((await response.json()) as { access_token: string }).access_token
  const { status, body } = await client.get('/as/user')
  assert.equal(status, 200)
  assert.equal((body as { id: string }).id, 'client:robot')
  assert.equal((await client.delete('/as/tokens')).status, 200)
  assert.equal((await client.get('/as/user')).status, 401)
})

test('people who send a password to such a site are told how to log in', async () => {
  const { status, body } = await site.process
    .client()
    .post('/as/tokens', { credentials: { username: 'ana', password: 'any', domain: '' } })
  assert.equal(status, 401)
  assert.match((body as { message: string }).message, /fogbow login --device/)
})
