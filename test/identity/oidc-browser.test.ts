import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SiteProcess } from '../system/support/site-process.ts'
import { SITE_CLIENT } from './support/oidc-provider.ts'
import { oidcSiteConfig, runOidcSite, SOURCE } from './support/oidc-site.ts'
import { Visitor } from './support/visitor.ts'

/** Login through the callback of a site that runs as a process of its own, plugin in its sandbox. */

const GUI = 'https://gui.example/login'
const site = runOidcSite({ http: { loginReturnUrls: [GUI] } })

const begin = () => `${site.url}/as/login/${SOURCE}`
const isCallback = (url: string) => url.startsWith(`${begin()}/callback`)

/** Follows the way until the provider is about to send the visitor back. */
async function untilCallback(visitor: Visitor, login = 'ana', from = begin()): Promise<string> {
  return (await visitor.visit(from, { login, password: 'any' }, isCallback)).url
}

function ticketIn(response: Response): string {
  const location = new URL(response.headers.get('location') ?? '', site.url)
  assert.equal(location.pathname, '/login')
  return new URLSearchParams(location.hash.slice(1)).get('ticket') ?? ''
}

/** Fetches the token as the page does, with the cookie of its browser. */
function fetchToken(ticket: string, cookie = '') {
  return site.process
    .client()
    .post('/as/tokens', { credentials: { loginTicket: ticket } }, { headers: { cookie } })
}

async function logIn(visitor: Visitor, login?: string): Promise<string> {
  const back = await visitor.request(await untilCallback(visitor, login))
  const answer = await fetchToken(ticketIn(back), visitor.cookies('127.0.0.1'))
  assert.equal(answer.status, 201)
  return (answer.body as { token: string }).token
}

/** A page that says to a person what went wrong and how to go on. */
async function assertErrorPage(response: Response, status: number, words: RegExp): Promise<void> {
  const text = await response.text()
  assert.equal(response.status, status, text)
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/)
  assert.match(text, /You are not logged in/)
  assert.match(text, words)
  assert.ok(text.includes(`href="${begin()}"`), text)
  assert.doesNotMatch(text, /at .*\.ts:\d+/)
}

test('who logs in at the provider can use the site, and is the one whom the provider named', async () => {
  const token = await logIn(new Visitor())
  assert.ok(token.length <= 16_384)
  const client = site.process.client()
  client.token = token
  const { status, body } = await client.get('/as/user')
  assert.equal(status, 200)
  const { id, identityProviderId, name, roles } = body as Record<string, unknown>
  assert.deepEqual([id, name, roles], ['ana', 'Ana Souza', ['user', 'admin']])
  assert.equal(identityProviderId, site.provider.issuer)
  assert.equal((await client.get('/ras/computes/status')).status, 200)
})

test('neither address nor history nor log hold the token', async () => {
  const visitor = new Visitor()
  const token = await logIn(visitor)
  assert.ok(!visitor.visited.join().includes(token))
  assert.ok(!site.process.output.includes(token))
})

test('the cookie of the browser is kept from scripts and other sites, and logs nobody in', async () => {
  const response = await new Visitor().request(begin())
  const cookie = response.headers.get('set-cookie') ?? ''
  assert.match(cookie, /^fogbow-browser=[\w-]{43}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/)
  assert.equal(response.headers.get('cache-control'), 'no-store')
  assert.equal(response.headers.get('referrer-policy'), 'no-referrer')
  const headers = { cookie: cookie.split(';')[0] ?? '' }
  assert.equal((await site.process.client().get('/as/user', { headers })).status, 401)
})

test('a callback is good once', async () => {
  const visitor = new Visitor()
  const callback = await untilCallback(visitor)
  assert.equal((await visitor.request(callback)).status, 303)
  await assertErrorPage(await visitor.request(callback), 401, /ended before, or took too long/)
})

test('a login that began in one browser does not end in another', async () => {
  const victim = new Visitor()
  const attacker = new Visitor()
  const callback = await untilCallback(attacker, 'eve')
  await assertErrorPage(await victim.request(callback), 401, /did not begin in this browser/)
  await victim.request(begin())
  await assertErrorPage(await victim.request(callback), 401, /did not begin in this browser/)
  assert.equal((await attacker.request(callback)).status, 303, 'the attempt ended the login')
})

test('a ticket is good once, for a minute, and only in the browser that logged in', async () => {
  const visitor = new Visitor()
  const ticket = ticketIn(await visitor.request(await untilCallback(visitor)))
  const cookie = visitor.cookies('127.0.0.1')
  assert.equal((await fetchToken(ticket)).status, 401)
  assert.equal((await fetchToken(ticket, `fogbow-browser=${'A'.repeat(43)}`)).status, 401)
  assert.equal((await fetchToken(ticket, cookie)).status, 201)
  assert.equal((await fetchToken(ticket, cookie)).status, 401)
  assert.equal((await fetchToken('made-up', cookie)).status, 401)
})

test('two logins of one browser at the same time both end', async () => {
  const visitor = new Visitor()
  const first = await untilCallback(visitor)
  const second = await untilCallback(visitor)
  assert.equal((await visitor.request(first)).status, 303)
  assert.equal((await visitor.request(second)).status, 303)
})

test('made-up callbacks are told apart from good ones', async () => {
  const visitor = new Visitor()
  const callback = await untilCallback(visitor)
  const changed = new URL(callback)
  changed.searchParams.set('code', 'made-up')
  for (const query of ['', '?code=a', '?code=a&state=b', `?error=access_denied`])
    await assertErrorPage(await visitor.request(`${begin()}/callback${query}`), 401, /begin again/)
  const twice = await visitor.request(`${callback}&state=b`)
  await assertErrorPage(twice, 400, /a parameter twice/)
  await assertErrorPage(await visitor.request(changed.href), 401, /invalid_grant/)
})

test('who says no at the provider reads that, without markup of strangers', async () => {
  const visitor = new Visitor()
  const { searchParams } = new URL((await visitor.request(begin())).headers.get('location') ?? '')
  const refusal = new URLSearchParams({
    error: 'access_denied',
    error_description: '<img src=x onerror=alert(1)>',
    state: searchParams.get('state') ?? '',
    iss: site.provider.issuer,
  })
  const response = await visitor.request(`${begin()}/callback?${refusal}`)
  const text = await response.clone().text()
  await assertErrorPage(response, 403, /was refused there/)
  assert.ok(!text.includes('<img src=x'))
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/)
})

test('a provider that is down is named on the page, and the site goes on', async () => {
  const visitor = new Visitor()
  const callback = await untilCallback(visitor)
  const token = await logIn(new Visitor())
  site.provider.condition = 'down'
  try {
    await assertErrorPage(
      await visitor.request(callback),
      503,
      new RegExp(`${site.provider.issuer} does not answer`),
    )
    const client = site.process.client()
    client.token = token
    assert.equal((await client.get('/as/user')).status, 200)
  } finally {
    site.provider.condition = 'up'
  }
})

test('a source that is none is refused with those that there are', async () => {
  const response = await new Visitor().request(`${site.url}/as/login/nobody`)
  assert.equal(response.status, 404)
  assert.match(await response.text(), /'nobody' .* there is science/)
})

test('the page of another origin gets a ticket, when it is one of those configured, and no other page', async () => {
  const visitor = new Visitor()
  const from = (page: string) => `${begin()}?return=${encodeURIComponent(page)}`
  const back = await visitor.request(await untilCallback(visitor, 'ana', from(GUI)))
  const location = back.headers.get('location') ?? ''
  assert.ok(location.startsWith(`${GUI}?loginTicket=`), location)
  const ticket = new URL(location).searchParams.get('loginTicket') ?? ''
  // As the GUI does: every parameter of its address is a credential, and it has no cookie of the site.
  const answer = await fetchToken(ticket)
  assert.equal(answer.status, 201)
  for (const page of [
    'https://evil.example/login',
    `${GUI}x`,
    'https://gui.example',
    'javascript:1',
  ])
    await assertErrorPage(await visitor.request(from(page)), 400, /loginReturnUrls/)
})

test('after the log-out the token is refused, and the browser ends its session at the provider', async () => {
  const visitor = new Visitor()
  const token = await logIn(visitor)
  const client = site.process.client()
  client.token = token
  assert.equal((await client.delete('/as/tokens')).status, 200)
  const { status, body } = await client.get('/as/user')
  assert.equal(status, 401)
  assert.match((body as { message: string }).message, /revoked/)
  const response = await visitor.request(`${begin()}/logout`)
  const end = new URL(response.headers.get('location') ?? '')
  assert.equal(end.origin, site.provider.issuer)
  assert.equal(end.searchParams.get('client_id'), SITE_CLIENT.id)
  assert.equal(end.searchParams.get('post_logout_redirect_uri'), `${site.url}/login`)
})

test('every login is in the audit with its user and source, and so is every one that failed', async () => {
  const visitor = new Visitor()
  const client = site.process.client()
  client.token = await logIn(visitor)
  await visitor.request(`${begin()}/callback?state=x`)
  const { body } = await client.get('/ras/admin/audit?limit=20')
  const entries = body as { operation: string; userId: string; detail: string; response: string }[]
  const logins = entries.filter(({ operation }) => operation === 'login')
  assert.ok(logins.some((each) => each.userId === 'ana' && each.detail === `at ${SOURCE}`))
  assert.ok(logins.some((each) => each.userId === null && each.response === 'unauthenticated'))
})

test('nothing in the store lets its reader take part in a login', async () => {
  const visitor = new Visitor()
  const first = await visitor.request(begin())
  const state = new URL(first.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const token = await logIn(visitor)
  const files = ['site.db', 'site.db-wal'].map((name) => {
    try {
      return readFileSync(join(site.process.folder, 'data', name), 'latin1')
    } catch {
      return ''
    }
  })
  const cookie = visitor.cookies('127.0.0.1').split('=')[1] ?? ''
  for (const secret of [state, token, cookie, SITE_CLIENT.secret])
    assert.ok(!files.join().includes(secret), `${secret} is in the store`)
})

test('another site with the same provider knows the user as the same, and takes no token of this one', async () => {
  const other = await SiteProcess.start({
    config: oidcSiteConfig(site.provider.issuer),
    env: { OIDC_CLIENT_SECRET: SITE_CLIENT.secret },
  })
  try {
    const token = await logIn(new Visitor())
    const client = other.client()
    client.token = token
    assert.equal((await client.get('/as/user')).status, 401)
    site.provider.register(other.url, SOURCE)
    const visitor = new Visitor()
    const callback = await visitor.visit(
      `${other.url}/as/login/${SOURCE}`,
      { login: 'ana', password: 'any' },
      (url) => url.includes('/callback?'),
    )
    const back = await visitor.request(callback.url)
    const hash = new URL(back.headers.get('location') ?? '', other.url).hash.slice(1)
    const ticket = new URLSearchParams(hash).get('ticket')
    const headers = { cookie: visitor.cookies('127.0.0.1') }
    const answer = await client.post(
      '/as/tokens',
      { credentials: { loginTicket: ticket } },
      { headers },
    )
    client.token = (answer.body as { token: string }).token
    const { body } = await client.get('/as/user')
    const { id, identityProviderId } = body as { id: string; identityProviderId: string }
    assert.deepEqual([id, identityProviderId], ['ana', site.provider.issuer])
  } finally {
    site.provider.register(site.url, SOURCE)
    await other.stop()
  }
})

test('a provider that the plugin was not granted, or whose address was not, is told apart from one that is down', async () => {
  const granted = oidcSiteConfig(site.provider.issuer)
  const cases: [config: string, words: RegExp][] = [
    [granted.replace(/"\{config\.issuer\.host\}"/, ''), /science\.grants\.network/],
    [granted.replace(/"127\.0\.0\.0\/8",\s*"::1\/128"/, ''), /science\.grants\.addresses/],
  ]
  for (const [config, words] of cases) {
    assert.notEqual(config, granted)
    const env = { OIDC_CLIENT_SECRET: SITE_CLIENT.secret }
    const other = await SiteProcess.start({ config, env })
    try {
      const response = await new Visitor().request(`${other.url}/as/login/${SOURCE}`)
      const text = await response.text()
      assert.equal(response.status, 409, text)
      assert.match(text, /cannot be reached from here/)
      assert.match(text, words)
    } finally {
      await other.stop()
    }
  }
})

test('a site that ended in the middle of a login goes on with it when it is back', async () => {
  const visitor = new Visitor()
  const callback = await untilCallback(visitor)
  const { folder, url } = site.process
  await site.process.kill()
  site.process = await SiteProcess.start({
    folder,
    config: readFileSync(join(folder, 'fogbow.config.ts'), 'utf8'),
    env: { OIDC_CLIENT_SECRET: SITE_CLIENT.secret, PORT: new URL(url).port },
  })
  assert.equal((await visitor.request(callback)).status, 303)
})
