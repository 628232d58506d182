import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { pino } from 'pino'
import type { SiteConfig } from '../config/index.ts'
import { openSqliteStore, type Store } from '../store/index.ts'
import { createLogInLimits } from './log-in-limits.ts'
import { createLogInRecords } from './log-in-records.ts'
import { createLogIns } from './log-ins.ts'
import type { AaaPipeline } from './pipeline.ts'

const FREE = 3
const slots = { tokenGenerator: 'x', federationIdentity: 'x', authentication: 'x' }
const source = (identityProviderId: string) => ({ ...slots, identityProviderId, domains: [] })
const config = {
  aaa: { sources: { staff: source('staff.example'), guests: source('site-a') } },
} as unknown as SiteConfig

/** Moves on by itself when somebody waits for it, and otherwise only when it is told to. */
function createClock() {
  const clock = {
    time: 1_900_000_000_000,
    waitedMs: [] as number[],
    now: () => clock.time,
    after(ms: number, run: () => void) {
      clock.waitedMs.push(ms)
      run()
    },
  }
  return clock
}

interface Options {
  store?: Store
  clock?: ReturnType<typeof createClock>
  free?: number
  createToken?: (credentials: Record<string, string>) => Promise<string>
}

async function bench(t: TestContext, options: Options = {}) {
  const store = options.store ?? (await openSqliteStore(':memory:'))
  if (!options.store) t.after(() => store.close())
  const clock = options.clock ?? createClock()
  const seen: string[] = []
  const check = async ({ password }: Record<string, string>) => {
    if (password === 'right') return 'token'
    throw new FogbowError('unauthenticated', `user name or password is wrong: ${password}`)
  }
  const logIns = createLogIns({
    aaa: { createToken: options.createToken ?? check } as unknown as AaaPipeline,
    limits: createLogInLimits(store, clock.now, () => options.free ?? FREE),
    records: createLogInRecords(store, pino({ level: 'silent' })),
    config: () => config,
    clock,
    onLogIn: (name, outcome) => seen.push(`${name} ${outcome}`),
  })
  /** @returns `ok`, `401`, or the seconds to wait */
  const logIn = (username: string, password: string, address = '192.0.2.1', domain = '') =>
    logIns.logIn({ username, password, domain }, { requestId: 'r', address }).then(
      () => 'ok',
      (error: FogbowError) => error.details.retryAfterSeconds ?? error.code,
    )
  const wrong = async (times: number, username: string, addressOf: (i: number) => string) => {
    const answers = []
    for (let i = 0; i < times; i++) answers.push(await logIn(username, 'wrong!', addressOf(i)))
    return answers
  }
  return { store, clock, seen, logIns, logIn, wrong }
}

const here = () => '192.0.2.1'
const elsewhere = (i: number) => `198.51.100.${i}`

test('failures of one name at one address make it wait, longer each time, and nobody else', async (t) => {
  const { clock, logIn, wrong } = await bench(t)
  assert.deepEqual(await wrong(FREE, 'ana', here), Array(FREE).fill('unauthenticated'))
  assert.equal(await logIn('ana', 'right'), 1)
  assert.equal(await logIn('bob', 'right'), 'ok')
  assert.equal(await logIn('ana', 'right', '198.51.100.7'), 'ok', 'nor from elsewhere')
  assert.equal(await logIn('ana', 'right', here(), 'guests'), 'ok', 'nor at another source')
  clock.time += 1000
  assert.equal(await logIn('ana', 'wrong'), 'unauthenticated')
  assert.equal(await logIn('ana', 'right'), 2)
  clock.time += 2000
  assert.equal(await logIn('ana', 'right'), 'ok')
  assert.deepEqual(await wrong(FREE, 'ana', here), Array(FREE).fill('unauthenticated'), 'anew')
})

test('a lock grows to a quarter of an hour and no further, and failures are forgotten in the end', async (t) => {
  const { clock, logIn, wrong } = await bench(t)
  await wrong(FREE, 'ana', here)
  let wait: unknown = 0
  for (let i = 0; i < 15; i++) {
    wait = await logIn('ana', 'right')
    clock.time += Number(wait) * 1000
    assert.equal(await logIn('ana', 'wrong'), 'unauthenticated')
  }
  assert.equal(wait, 900)
  clock.time += 31 * 60_000
  assert.deepEqual(await wrong(FREE, 'ana', here), Array(FREE).fill('unauthenticated'))
})

test('a restart forgives nothing, and processes of one site count together', async (t) => {
  const { store, clock, wrong } = await bench(t)
  await wrong(FREE - 1, 'ana', here)
  const other = await bench(t, { store, clock })
  assert.equal(await other.logIn('ana', 'wrong'), 'unauthenticated')
  const third = await bench(t, { store, clock })
  assert.equal(await third.logIn('ana', 'right'), 1)
})

test('a name is one name however it is written', async (t) => {
  const { logIn } = await bench(t)
  for (const name of ['ana', 'ANA ', '\uff41na']) await logIn(name, 'wrong')
  assert.equal(await logIn('Ana', 'right'), 1)
})

test('many names from one address make the address wait', async (t) => {
  const { logIn } = await bench(t)
  for (let i = 0; i < FREE * 10; i++)
    assert.equal(await logIn(`user-${i}`, 'wrong'), 'unauthenticated')
  assert.equal(await logIn('ana', 'right'), 1)
  assert.equal(await logIn('ana', 'right', '192.0.2.2'), 'ok')
})

test('all addresses of an IPv6 network are one, in all the ways to write them', async (t) => {
  const { logIn } = await bench(t)
  const same = ['2001:db8::1', '2001:0db8:0:0:1:2:3:4', '2001:DB8:0:0::ffff']
  for (const address of same) await logIn('ana', 'wrong', address)
  assert.equal(await logIn('ana', 'right', '2001:db8:0:0:9::'), 1)
  assert.equal(await logIn('ana', 'right', '2001:db8:0:1::1'), 'ok')
  for (let i = 0; i < FREE; i++) await logIn('bob', 'wrong', '::ffff:192.0.2.9')
  assert.equal(await logIn('bob', 'right', '192.0.2.9'), 1)
})

test('who guesses from everywhere is slowed down, and never keeps a user out of a place that he knows', async (t) => {
  const { clock, logIn, wrong } = await bench(t)
  assert.equal(await logIn('ana', 'right', '192.0.2.1'), 'ok')
  await wrong(FREE * 10, 'ana', elsewhere)
  assert.equal(await logIn('ana', 'right', '203.0.113.1'), 1, 'nobody knows him there')
  assert.equal(await logIn('ana', 'right', '192.0.2.1'), 'ok')
  for (let i = 100; i < 120; i++) {
    clock.time += Number(await logIn('ana', 'right', elsewhere(i))) * 1000
    await logIn('ana', 'wrong', elsewhere(i))
  }
  assert.equal(await logIn('ana', 'right', '203.0.113.1'), 60, 'a minute at most, however many')
  assert.equal(await logIn('ana', 'right', '192.0.2.1'), 'ok')
  clock.time += 60_000
  assert.equal(await logIn('ana', 'right', '203.0.113.1'), 'ok')
})

test('many guesses at once get no more tries than one after the other', async (t) => {
  let tried = 0
  const createToken = async () => {
    tried += 1
    await new Promise((resolve) => setImmediate(resolve))
    throw new FogbowError('unauthenticated', 'no')
  }
  const { logIn } = await bench(t, { createToken })
  const answers = await Promise.all(Array.from({ length: 50 }, () => logIn('ana', 'x')))
  assert.equal(tried, FREE)
  assert.equal(answers.filter((answer) => answer === 'unauthenticated').length, FREE)
})

test('what is no wrong password counts against nobody', async (t) => {
  const createToken = async () => {
    throw new FogbowError('unavailable_provider', 'the directory does not answer')
  }
  const { logIn, seen } = await bench(t, { createToken })
  for (let i = 0; i < 20; i++) assert.equal(await logIn('ana', 'x'), 'unavailable_provider')
  assert.deepEqual(new Set(seen), new Set(['staff failed']))
})

test('no limit is no limit', async (t) => {
  const { wrong } = await bench(t, { free: 0 })
  assert.deepEqual(await wrong(50, 'ana', here), Array(50).fill('unauthenticated'))
})

test('how long a refusal took tells nothing: it is answered at a step of time', async (t) => {
  const clock = createClock()
  let tookMs = 0
  const createToken = async () => {
    clock.time += tookMs
    throw new FogbowError('unauthenticated', 'no')
  }
  const { logIn } = await bench(t, { clock, createToken, free: 0 })
  const answeredAfter = []
  for (tookMs of [0, 3, 120, 249, 250, 260]) {
    await logIn('ana', 'x')
    answeredAfter.push(tookMs + (clock.waitedMs.at(-1) ?? 0))
  }
  assert.deepEqual(answeredAfter, [250, 250, 250, 250, 500, 500])
})

test('who, from where, at which source, with what outcome and why is recorded, and no password', async (t) => {
  const { logIn, logIns, seen, store } = await bench(t)
  await logIn('ana', 'right', '192.0.2.1', 'guests')
  await logIn('ana', 'hunter2hunter2', '192.0.2.2')
  await logIn('ana', 'hunter2hunter2', '192.0.2.2', 'nowhere')
  const rows = await logIns.records.list({ limit: 10 })
  const shown = rows.map((row) => [row.user_name, row.source, row.address, row.outcome, row.reason])
  assert.deepEqual(shown.slice(1), [
    ['ana', 'staff', '192.0.2.2', 'refused', 'user name or password is wrong: …'],
    ['ana', 'guests', '192.0.2.1', 'ok', null],
  ])
  assert.deepEqual(shown[0]?.slice(0, 4), ['ana', null, '192.0.2.2', 'refused'])
  assert.deepEqual(seen, ['guests ok', 'staff refused', 'none refused'])
  for (const table of ['log_ins', 'log_in_failures', 'log_in_places'] as const) {
    const all = JSON.stringify(await store.db.selectFrom(table).selectAll().execute())
    assert.ok(!all.includes('hunter2'), table)
  }
  const only = await logIns.records.list({ limit: 10, outcome: 'ok', userName: 'ana' })
  assert.equal(only.length, 1)
})

test('who goes on while locked out is counted each time and recorded now and then', async (t) => {
  const { clock, logIn, logIns, seen, wrong } = await bench(t)
  await wrong(FREE + 6, 'ana', here)
  for (let i = 0; i < 50; i++) await logIn('ana', 'x')
  const lockedOut = () => logIns.records.list({ limit: 100, outcome: 'locked out' })
  assert.equal((await lockedOut()).length, 1)
  assert.equal(seen.filter((line) => line === 'staff locked out').length, 56)
  clock.time += 60_000
  await wrong(1, 'ana', here)
  await logIn('ana', 'x')
  assert.equal((await lockedOut()).length, 2)
})

test('a log-in that went on elsewhere is recorded with its user, or with why nobody came back', async (t) => {
  const { logIns, seen } = await bench(t)
  const from = { requestId: 'r', address: '192.0.2.7' }
  await logIns.noteElsewhere('science', 'ana', from)
  await logIns.noteElsewhere(
    'science',
    null,
    from,
    new FogbowError('unauthenticated', 'it said no'),
  )
  const records = await logIns.records.list({ limit: 9 })
  assert.deepEqual(
    records.map(({ source, user_name, address, outcome, reason }) => [
      source,
      user_name,
      address,
      outcome,
      reason,
    ]),
    [
      ['science', null, '192.0.2.7', 'refused', 'it said no'],
      ['science', 'ana', '192.0.2.7', 'ok', null],
    ],
  )
  assert.deepEqual(seen, ['science ok', 'science refused'])
})
