import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createHome, type Home } from './fixtures/run-cli.ts'
import { type StubAnswers, type StubSite, startStubSite } from './fixtures/stub-site.ts'

let home: Home
const sites: StubSite[] = []

before(async () => {
  home = await createHome()
})
after(async () => {
  for (const site of sites) await site.close()
  await home.remove()
})

async function siteWith(answers: StubAnswers): Promise<StubSite> {
  const site = await startStubSite({
    'POST /as/tokens': { status: 201, body: { token: 'secret-token' } },
    ...answers,
  })
  sites.push(site)
  return site
}

const login = ['login', '--username', 'ann', '--password-stdin']

test('a log-in keeps the token where only its owner can read it, and later commands send it', async () => {
  const site = await siteWith({
    'GET /as/user': { body: { id: 'ann', name: 'Ann', roles: ['admin'], expiresAt: 0 } },
  })
  const loggedIn = await home.run(['--url', `${site.url}/`, ...login], { input: 'pass word\n' })
  assert.equal(loggedIn.code, 0)
  assert.equal(loggedIn.stdout, '')
  assert.deepEqual(site.requests[0]?.body, {
    credentials: { username: 'ann', password: 'pass word' },
  })

  const file = join(home.folder, 'fogbow', 'session.json')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), {
    url: site.url,
    token: 'secret-token',
  })

  const { code, cells } = await home.run(['whoami'])
  assert.equal(code, 0)
  assert.deepEqual(cells[0], ['id', 'ann'])
  assert.deepEqual(cells.at(-2), ['expiresAt', '1970-01-01T00:00:00.000Z'])
  assert.equal(site.requests[1]?.headers['fogbow-user-token'], 'secret-token')
})

test('a token is never sent to another site than the one that gave it', async () => {
  const first = await siteWith({})
  const second = await siteWith({ 'GET /as/user': { body: {} } })
  await home.run([...login, '--url', first.url], { input: 'password' })
  const refused = await home.run(['whoami', '--url', second.url])
  assert.equal(refused.code, 3)
  assert.match(refused.stderr, /Not logged in to .*\nlog in with: fogbow login/)
  assert.deepEqual(second.requests, [])
})

test('a redirect is not followed, since it would carry the token away', async () => {
  const other = await siteWith({ 'GET /as/user': { body: {} } })
  const site = await siteWith({
    'GET /as/user': { status: 302, headers: { location: `${other.url}/as/user` } },
  })
  const env = { FOGBOW_URL: site.url, FOGBOW_TOKEN: 't' }
  const { code, stderr } = await home.run(['whoami'], { env })
  assert.equal(code, 1)
  assert.match(stderr, new RegExp(`redirects to ${other.url}`))
  assert.deepEqual(other.requests, [])
})

test('FOGBOW_URL and FOGBOW_TOKEN stand above the session', async () => {
  const kept = await siteWith({})
  const named = await siteWith({ 'GET /as/user': { body: { id: 'bob' } } })
  await home.run([...login, '--url', kept.url], { input: 'password' })
  const env = { FOGBOW_URL: named.url, FOGBOW_TOKEN: 'given' }
  assert.equal((await home.run(['whoami'], { env })).code, 0)
  assert.equal(named.requests[0]?.headers['fogbow-user-token'], 'given')
})

test('a wrong password ends with 3, says what the site said, and leaves no session', async () => {
  const site = await siteWith({
    'POST /as/tokens': {
      status: 401,
      body: { message: 'User name or password is wrong', requestId: 'r-7' },
    },
  })
  await home.run(['logout'])
  const { code, stdout, stderr } = await home.run([...login, '--url', site.url], { input: 'nope' })
  assert.equal(code, 3)
  assert.equal(stdout, '')
  assert.match(stderr, /error: User name or password is wrong \[request r-7\]\ncheck user name/)
  assert.equal((await home.run(['whoami', '--url', site.url])).code, 3)
})

test('a site may ask for other credentials than a user name, also from files', async () => {
  const site = await siteWith({})
  const { code } = await home.run(
    ['login', '--url', site.url, '-c', 'access_key=a=b', '-c', 'secret_key=@key'],
    { cwd: await folderWith('key', 'top secret\n') },
  )
  assert.equal(code, 0)
  assert.deepEqual(site.requests[0]?.body, {
    credentials: { access_key: 'a=b', secret_key: 'top secret' },
  })
})

test('without a terminal nobody is asked for a password', async () => {
  const site = await siteWith({})
  const { code, stderr } = await home.run(['login', '--url', site.url, '--username', 'ann'])
  assert.equal(code, 2)
  assert.match(stderr, /--password-stdin is needed/)
  assert.deepEqual(site.requests, [])
})

test('a log-out gives the token back, and forgets it even when the site had done so already', async () => {
  const site = await siteWith({ 'DELETE /as/tokens': { status: 401, body: { message: 'gone' } } })
  await home.run([...login, '--url', site.url], { input: 'password' })
  assert.equal((await home.run(['logout'])).code, 0)
  assert.equal(site.requests.at(-1)?.headers['fogbow-user-token'], 'secret-token')
  assert.equal((await home.run(['whoami', '--url', site.url])).code, 3)
})

test('an expired token ends with 3 and the way to a new one', async () => {
  const site = await siteWith({
    'GET /as/user': { status: 401, body: { message: 'The token expired' } },
  })
  const env = { FOGBOW_URL: site.url, FOGBOW_TOKEN: 'old' }
  const { code, stderr } = await home.run(['whoami'], { env })
  assert.equal(code, 3)
  assert.match(stderr, /The token expired\nlog in with: fogbow login/)
})

test('a password is not sent over an unencrypted connection to another machine without a warning', async () => {
  const args = [...login, '--url', 'http://fogbow.invalid']
  const { code, stderr } = await home.run(args, { input: 'password' })
  assert.equal(code, 4)
  assert.match(stderr, /warning: http:\/\/fogbow\.invalid is not encrypted/)
  assert.match(stderr, /No such host: http:\/\/fogbow\.invalid/)
})

async function folderWith(name: string, text: string): Promise<string> {
  await writeFile(join(home.folder, name), text)
  return home.folder
}
