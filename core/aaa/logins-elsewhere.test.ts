import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { type Methods, standInPlugin, standInPlugins } from '../plugins/testing/stand-in-plugins.ts'
import { openSqliteStore, type Store } from '../store/index.ts'
import { createLoginsElsewhere, type LoginsElsewhere } from './logins-elsewhere.ts'
import { createPendingLogins, randomSecret } from './pending-logins.ts'

const redirectUri = 'https://site.example/as/login/science/callback'
const address = '192.0.2.1'
const refused = { code: 'unauthenticated' }
const MINUTE_MS = 60_000

const methods: Methods = {
  'login.beginLogin': (_uri: string, state: string) => ({
    url: `https://login.example/?state=${state}`,
    kept: { verifier: 'v' },
  }),
  'login.completeLogin': () => 'token-of-ana',
  'login.beginDeviceLogin': () => ({
    userCode: 'BDWP-HQPK',
    verificationUri: 'https://login.example/device',
    expiresInSeconds: 120,
    intervalSeconds: 5,
    kept: { deviceCode: 'secret of the device' },
  }),
  'login.pollDeviceLogin': () => ({ status: 'pending' }),
}

interface Trial {
  elsewhere: LoginsElsewhere
  clock: { time: number }
  store: Store
  calls: (method: string) => unknown[][]
  /** Begins a login in a browser. @returns its state */
  begin(browser: string, from?: string): Promise<string>
  complete(state: string, browser: string | undefined): Promise<unknown>
}

async function trial(t: TestContext, own: Methods = {}, shared?: Store): Promise<Trial> {
  const store = shared ?? (await openSqliteStore(':memory:'))
  if (!shared) t.after(() => store.close())
  const clock = { time: 1_000_000 }
  const plugin = standInPlugin('science', { ...methods, ...own })
  const pending = createPendingLogins(store, () => clock.time)
  const elsewhere = createLoginsElsewhere({ plugins: standInPlugins(plugin), pending })
  return {
    elsewhere,
    clock,
    store,
    calls: (method) =>
      plugin.calls.filter((call) => call.method === method).map(({ args }) => [...args]),
    async begin(browser, from = address) {
      const url = await elsewhere.begin('science', { redirectUri, browser, address: from })
      return new URL(url).searchParams.get('state') ?? ''
    },
    complete: (state, browser) =>
      elsewhere.complete('science', { redirectUri, browser, parameters: { state, code: 'c' } }),
  }
}

test('a login ends once, in the browser where it began, with what its plugin wanted back', async (t) => {
  const { begin, complete, calls } = await trial(t)
  const browser = randomSecret()
  const state = await begin(browser)
  await assert.rejects(complete(state, randomSecret()), { ...refused, message: /this browser/ })
  await assert.rejects(complete(state, undefined), { ...refused, message: /this browser/ })
  assert.deepEqual(await complete(state, browser), {
    tokenValue: 'token-of-ana',
    returnUrl: undefined,
  })
  assert.deepEqual(calls('login.completeLogin'), [
    [redirectUri, { state, code: 'c' }, { verifier: 'v' }],
  ])
  await assert.rejects(complete(state, browser), { ...refused, message: /ended before/ })
})

test('of many callbacks of one login at once one gets through', async (t) => {
  const { begin, complete, calls } = await trial(t)
  const browser = randomSecret()
  const state = await begin(browser)
  const all = await Promise.allSettled(Array.from({ length: 10 }, () => complete(state, browser)))
  assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1)
  assert.equal(calls('login.completeLogin').length, 1)
})

test('a login ends at the source where it began', async (t) => {
  const { elsewhere, begin } = await trial(t)
  const browser = randomSecret()
  const parameters = { state: await begin(browser) }
  await assert.rejects(elsewhere.complete('other', { redirectUri, browser, parameters }), refused)
  await assert.rejects(elsewhere.begin('other', { redirectUri, browser, address }), {
    code: 'not_found',
    message: /there is science/,
  })
})

test('a login that takes longer than ten minutes is over', async (t) => {
  const { begin, complete, clock } = await trial(t)
  const browser = randomSecret()
  const state = await begin(browser)
  clock.time += 10 * MINUTE_MS
  await assert.rejects(complete(state, browser), { ...refused, message: /took too long/ })
})

test('nothing of a login is in the memory of the process where it began', async (t) => {
  const one = await trial(t)
  const other = await trial(t, {}, one.store)
  const browser = randomSecret()
  const state = await one.begin(browser)
  await other.complete(state, browser)
  await assert.rejects(one.complete(state, browser), refused)
  const ticket = await other.elsewhere.leave('token', { source: 'science', address, browser })
  assert.equal(await one.elsewhere.fetch(ticket, browser), 'token')
  await assert.rejects(other.elsewhere.fetch(ticket, browser), refused)
})

test('one address has at most a hundred logins pending, and keeps no other from logging in', async (t) => {
  const { begin, clock } = await trial(t)
  for (let each = 0; each < 100; each += 1) await begin(randomSecret())
  await assert.rejects(begin(randomSecret()), { code: 'too_many_requests' })
  await begin(randomSecret(), '192.0.2.2')
  clock.time += 10 * MINUTE_MS
  await begin(randomSecret())
})

test('ten thousand logins are pending at most', async (t) => {
  const { begin, store } = await trial(t)
  const row = (each: number) => ({
    id_hash: String(each),
    purpose: 'browser',
    source: 'science',
    address: String(each),
    sealed: '',
    expires_at: Number.MAX_SAFE_INTEGER,
  })
  for (let first = 0; first < 10_000; first += 1000) {
    const rows = Array.from({ length: 1000 }, (_, each) => row(first + each))
    await store.write((db) => db.insertInto('pending_logins').values(rows).execute())
  }
  await assert.rejects(begin(randomSecret()), { code: 'too_many_requests' })
})

test('a login that could not begin leaves nothing', async (t) => {
  const { begin, store } = await trial(t, {
    'login.beginLogin': () => {
      throw new FogbowError('unavailable_provider', 'the provider does not answer')
    },
  })
  await assert.rejects(begin(randomSecret()), { code: 'unavailable_provider' })
  assert.deepEqual(await store.db.selectFrom('pending_logins').selectAll().execute(), [])
})

test('the store has neither state, nor browser, nor what the plugin wants back, nor token', async (t) => {
  const { begin, elsewhere, store } = await trial(t)
  const browser = randomSecret()
  const state = await begin(browser)
  const ticket = await elsewhere.leave('the-token', { source: 'science', address, browser })
  const { handle } = await elsewhere.beginDevice('science', { address })
  const text = JSON.stringify(await store.db.selectFrom('pending_logins').selectAll().execute())
  for (const secret of [state, browser, ticket, handle, 'verifier', 'the-token', 'deviceCode'])
    assert.ok(!text.includes(secret), secret)
})

test('a ticket is over after a minute', async (t) => {
  const { elsewhere, clock } = await trial(t)
  const ticket = await elsewhere.leave('token', { source: 'science', address, browser: undefined })
  clock.time += MINUTE_MS
  await assert.rejects(elsewhere.fetch(ticket, undefined), refused)
})

test('a state is no ticket, and no handle is either', async (t) => {
  const { begin, elsewhere } = await trial(t)
  const browser = randomSecret()
  await assert.rejects(elsewhere.fetch(await begin(browser), browser), refused)
  const { handle } = await elsewhere.beginDevice('science', { address })
  await assert.rejects(elsewhere.fetch(handle, browser), refused)
  await assert.rejects(elsewhere.pollDevice('science', await begin(browser)), refused)
})

test('a device waits its interval, longer each time that it does not or that the provider wants it to', async (t) => {
  let answer: object = { status: 'pending' }
  const { elsewhere, clock, calls } = await trial(t, { 'login.pollDeviceLogin': () => answer })
  const { handle, intervalSeconds } = await elsewhere.beginDevice('science', { address })
  assert.equal(intervalSeconds, 5)
  const poll = () => elsewhere.pollDevice('science', handle)
  clock.time += 4_000
  assert.deepEqual(await poll(), { status: 'slow_down', intervalSeconds: 10 })
  clock.time += 10_000
  assert.deepEqual(await poll(), { status: 'pending', intervalSeconds: 10 })
  answer = { status: 'slow_down' }
  clock.time += 10_000
  assert.deepEqual(await poll(), { status: 'slow_down', intervalSeconds: 15 })
  clock.time += 14_000
  assert.deepEqual(await poll(), { status: 'slow_down', intervalSeconds: 20 })
  answer = { status: 'done', tokenValue: 'token-of-ana' }
  clock.time += 20_000
  assert.deepEqual(await poll(), {
    status: 'done',
    tokenValue: 'token-of-ana',
    source: 'science',
  })
  await assert.rejects(poll(), refused)
  assert.deepEqual(calls('login.pollDeviceLogin')[0], [{ deviceCode: 'secret of the device' }])
  assert.equal(calls('login.pollDeviceLogin').length, 3)
})

test('a device login ends when the provider says no, and when its code is over, and not when the provider is away', async (t) => {
  let code: 'unavailable_provider' | 'unauthorized' = 'unavailable_provider'
  const { elsewhere, clock } = await trial(t, {
    'login.pollDeviceLogin': () => {
      throw new FogbowError(code, 'no')
    },
  })
  const { handle } = await elsewhere.beginDevice('science', { address })
  const poll = (which: string) => {
    clock.time += 5_000
    return elsewhere.pollDevice('science', which)
  }
  await assert.rejects(poll(handle), { code: 'unavailable_provider' })
  code = 'unauthorized'
  await assert.rejects(poll(handle), { code: 'unauthorized' })
  await assert.rejects(poll(handle), { ...refused, message: /not known/ })
  const other = await elsewhere.beginDevice('science', { address })
  clock.time += 115_000
  await assert.rejects(poll(other.handle), { ...refused, message: /not known/ })
})

test('a plugin that ends no sessions sends nobody away', async (t) => {
  const { elsewhere } = await trial(t)
  assert.equal(await elsewhere.endSession('science', 'https://site.example/login'), undefined)
  const url = 'https://login.example/end'
  const other = await trial(t, { 'login.endSession': () => ({ url }) })
  assert.equal(await other.elsewhere.endSession('science', 'https://site.example/login'), url)
})
