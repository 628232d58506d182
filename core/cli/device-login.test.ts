import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
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

const begun = {
  handle: 'handle-1',
  userCode: 'BDWP-HQPK',
  verificationUri: 'https://login.example/device',
  verificationUriComplete: 'https://login.example/device?user_code=BDWP-HQPK',
  expiresInSeconds: 600,
  intervalSeconds: 0,
}
const POLL = 'POST /as/login/science/device/token'
const done = { body: { status: 'done', token: 'secret-token' } }
const pending = { body: { status: 'pending', intervalSeconds: 0 } }

async function siteWith(answers: StubAnswers): Promise<StubSite> {
  const site = await startStubSite({
    'GET /as/login': {
      body: {
        sources: [
          { name: 'pages-only', devices: false },
          { name: 'science', devices: true },
        ],
      },
    },
    'POST /as/login/science/device': { status: 201, body: begun },
    [POLL]: done,
    ...answers,
  })
  sites.push(site)
  return site
}

const logIn = (site: StubSite, ...args: string[]) =>
  home.run(['login', '--device', '--url', site.url, ...args])

const polls = (site: StubSite) => site.requests.filter(({ target }) => target.endsWith('/token'))

test('address and code are shown, and the token is kept once the user is through', async () => {
  const slower = { body: { status: 'slow_down', intervalSeconds: 0 } }
  const site = await siteWith({ [POLL]: [pending, slower, pending, done] })
  const { code, stdout, stderr } = await logIn(site)
  assert.equal(code, 0)
  assert.equal(stdout, '')
  assert.match(stderr, /Open https:\/\/login\.example\/device in a browser .* code BDWP-HQPK/)
  assert.match(stderr, /or open https:\/\/login\.example\/device\?user_code=BDWP-HQPK/)
  assert.deepEqual(
    polls(site).map(({ body }) => body),
    Array(4).fill({ handle: 'handle-1' }),
  )
  const session = await readFile(join(home.folder, 'fogbow', 'session.json'), 'utf8')
  assert.deepEqual(JSON.parse(session), { url: site.url, token: 'secret-token' })
})

test('a site that is away for a moment does not end the login', async () => {
  const away = { status: 503, body: { message: 'the provider does not answer' } }
  const site = await siteWith({ [POLL]: [pending, away, { hangUp: true }, done] })
  assert.equal((await logIn(site)).code, 0)
  assert.equal(polls(site).length, 4)
})

test('a user who refuses, or whose code has expired, is not logged in and is not asked for again', async () => {
  for (const [status, message] of [
    [403, 'the login was refused there'],
    [401, 'the code has expired'],
  ] as const) {
    const site = await siteWith({ [POLL]: [pending, { status, body: { message } }] })
    const { code, stderr } = await logIn(site)
    assert.equal(code, 3)
    assert.match(stderr, new RegExp(`${message}\nbegin again with: fogbow login --device`))
    assert.equal(polls(site).length, 2)
  }
})

test('a code that nobody used in time ends the login', async () => {
  const site = await siteWith({
    'POST /as/login/science/device': { status: 201, body: { ...begun, expiresInSeconds: 0 } },
  })
  const { code, stderr } = await logIn(site)
  assert.equal(code, 3)
  assert.match(stderr, /has expired/)
  assert.deepEqual(polls(site), [])
})

test('what a provider says cannot command the terminal', async () => {
  const userCode = 'AB\u001b[2JCD'
  const site = await siteWith({
    'POST /as/login/science/device': { status: 201, body: { ...begun, userCode } },
  })
  const { stderr } = await logIn(site)
  assert.match(stderr, /AB \[2JCD/)
  assert.ok(!stderr.includes('\u001b[2J'))
})

test('among several providers one is chosen', async () => {
  const sources = ['science', 'staff'].map((name) => ({ name, devices: true }))
  const site = await siteWith({ 'GET /as/login': { body: { sources } } })
  const undecided = await logIn(site)
  assert.equal(undecided.code, 2)
  assert.match(undecided.stderr, /choose with --source: science, staff/)
  assert.equal((await logIn(site, '--source', 'science')).code, 0)
})

test('a site without a provider says how to log in instead', async () => {
  for (const answer of [{ body: { sources: [] } }, { status: 404, body: { message: 'no' } }]) {
    const { code, stderr } = await logIn(await siteWith({ 'GET /as/login': answer }))
    assert.equal(code, 1)
    assert.match(stderr, /no identity provider .*\nlog in with: fogbow login --username/)
  }
})

test('credentials and a browser elsewhere exclude each other', async () => {
  const site = await siteWith({})
  assert.equal((await logIn(site, '--username', 'ann')).code, 2)
  const lost = await home.run(['login', '--source', 'science', '--url', site.url])
  assert.equal(lost.code, 2)
  assert.match(lost.stderr, /--source needs --device/)
  assert.deepEqual(site.requests, [])
})
