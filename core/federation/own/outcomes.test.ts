import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openSqliteStore } from '../../store/index.ts'
import { ended, type FederatedSite, startFederatedSites } from '../testing/federated-sites.ts'

const MINUTE_MS = 60_000

async function two(t: TestContext) {
  const world = await startFederatedSites(['site-a', 'site-b'])
  t.after(() => world.close())
  const [a, b] = world.sites as [FederatedSite, FederatedSite]
  const make = (settings: object = {}) =>
    ended(a.federation.call('site-b', 'make', { name: 'x' }, { key: 'make/x', ...settings }))
  return { ...world, a, b, make }
}

const errorOf = ({ outcome }: ReturnType<typeof ended>) => {
  assert.ok(outcome && 'error' in outcome, JSON.stringify(outcome))
  return outcome.error
}

test('a caller is told after its time that the outcome is unknown, and finds it by asking again', async (t) => {
  const { b, make, pass } = await two(t)
  b.crash()
  const first = make({ timeoutMs: 3000 })
  await pass(3000)
  const { code, outcome, message } = errorOf(first)
  assert.deepEqual([code, outcome], ['unavailable_provider', 'unknown'])
  assert.match(message, /site-b did not say within 3000 ms what became of 'make'/)
  await b.restart()
  const second = make({ timeoutMs: 10 * MINUTE_MS })
  await pass(5 * MINUTE_MS)
  assert.deepEqual(second.outcome, { result: { made: 'x' } })
  assert.equal(b.effects.length, 1)
})

test('a caller that gives up does not stop the command', async (t) => {
  const { a, b, make, pass } = await two(t)
  const giveUp = new AbortController()
  const call = make({ signal: giveUp.signal })
  giveUp.abort()
  await pass(1000)
  assert.equal(errorOf(call).code, 'unavailable_provider')
  assert.equal(b.effects.length, 1)
  assert.equal(a.federation.counts().pendingCommands, 0)
})

test('what was never begun in time is known not to have been done, and can be asked anew under its key', async (t) => {
  const { a, b, make, pass } = await two(t)
  b.crash()
  const call = make({ timeoutMs: 90 * MINUTE_MS, lifetimeMs: 5 * MINUTE_MS })
  await pass(30 * MINUTE_MS)
  assert.equal(call.outcome, undefined, 'nobody knows while the member is away')
  await b.restart()
  await pass(5 * MINUTE_MS)
  const error = errorOf(call)
  assert.deepEqual([error.outcome, error.details], ['refused', { expired: true }])
  assert.deepEqual(b.effects, [])
  assert.equal(a.federation.counts().pendingCommands, 0)
  const again = make()
  await pass(1000)
  assert.deepEqual(again.outcome, { result: { made: 'x' } })
  assert.equal(b.effects.length, 1)
})

test('what never left this site needs nobody to say that it was not done', async (t) => {
  const { a, make, pass } = await two(t)
  a.component.setOnline(false)
  const call = make({ timeoutMs: 90 * MINUTE_MS, lifetimeMs: MINUTE_MS })
  await pass(3 * MINUTE_MS)
  assert.deepEqual(errorOf(call).details, { expired: true })
})

test('when all answers are lost until a command expires, its outcome is asked for', async (t) => {
  const { b, make, pass, network } = await two(t)
  network.fate = ({ kind }) => ({ arrivals: kind === 'answer' ? [] : [1] })
  const call = make({ timeoutMs: 90 * MINUTE_MS, lifetimeMs: MINUTE_MS })
  await pass(10 * MINUTE_MS)
  assert.equal(b.effects.length, 1)
  network.fate = () => ({ arrivals: [1] })
  await pass(5 * MINUTE_MS)
  assert.deepEqual(call.outcome, { result: { made: 'x' } })
  assert.equal(b.effects.length, 1)
})

test('work that takes longer than a stanza is held is answered when it is done, and done once', async (t) => {
  const { b, make, pass, time } = await two(t)
  const { answer } = b
  b.answer = async (call) => {
    await new Promise<void>((resolve) => time.after(35_000, resolve))
    return answer(call)
  }
  const call = make({ timeoutMs: MINUTE_MS })
  await pass(34_000)
  assert.equal(call.outcome, undefined)
  await pass(5000)
  assert.deepEqual(call.outcome, { result: { made: 'x' } })
  assert.equal(b.effects.length, 1)
})

test('what is refused is refused for good: no late copy of the request is carried out', async (t) => {
  const { b, make, pass, network } = await two(t)
  network.fate = ({ kind }) => ({ arrivals: kind === 'request' ? [1, 5 * MINUTE_MS] : [1] })
  const { settings } = b
  b.settings = { ...settings, requesters: [] }
  const call = make()
  await pass(1000)
  assert.equal(errorOf(call).code, 'unauthorized')
  b.settings = settings
  await pass(10 * MINUTE_MS)
  assert.deepEqual(b.effects, [])
})

test('a copy that arrives after its command has expired is not carried out, and one that was asked anew is', async (t) => {
  const { b, make, pass, network } = await two(t)
  network.fate = ({ kind }) => ({ arrivals: kind === 'request' ? [2 * MINUTE_MS] : [1] })
  const call = make({ timeoutMs: 90 * MINUTE_MS, lifetimeMs: 10_000 })
  await pass(MINUTE_MS)
  network.fate = () => ({ arrivals: [1] })
  await pass(10 * MINUTE_MS)
  assert.deepEqual(errorOf(call).details, { expired: true })
  assert.deepEqual(b.effects, [])
  make()
  await pass(1000)
  assert.equal(b.effects.length, 1)
})

test('a command that was begun is not called refused because it is not allowed any more', async (t) => {
  const { b, make, pass } = await two(t)
  const { settings } = b
  b.answer = () => new Promise(() => {})
  const call = make({ timeoutMs: 90 * MINUTE_MS })
  await pass(1000)
  b.crash()
  b.settings = { ...settings, requesters: [] }
  await b.restart()
  await pass(MINUTE_MS)
  assert.equal(errorOf(call).outcome, 'unknown')
})

test('what waits for a member that is away goes out at once when it is back', async (t) => {
  const { b, make, pass } = await two(t)
  await pass(MINUTE_MS)
  b.crash()
  const call = make({ timeoutMs: 90 * MINUTE_MS, lifetimeMs: 80 * MINUTE_MS })
  await pass(40 * MINUTE_MS)
  await b.restart()
  const back = b.federation.call('site-a', 'echo', { text: 'I am back' })
  ended(back)
  await pass(200)
  assert.deepEqual(call.outcome, { result: { made: 'x' } })
})

test('outcomes and answers are forgotten after their time', async (t) => {
  const { a, b, make, pass, time } = await two(t)
  make()
  await pass(1000)
  time.skip(15 * 86_400_000)
  ended(a.federation.call('site-b', 'make', { name: 'later' }, { key: 'later' }))
  await pass(MINUTE_MS)
  const keys = await a.store.db.selectFrom('outbox').select('key').execute()
  assert.deepEqual(
    keys.map(({ key }) => key),
    ['later'],
  )
  const rows = await b.store.db.selectFrom('inbox').select('id').execute()
  assert.equal(rows.length, 1)
})

test('the outbox and the inbox are found again in a store that was closed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-store-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'site.db')
  const stores = { 'site-a': await openSqliteStore(file) }
  const world = await startFederatedSites(['site-a', 'site-b'], undefined, {}, stores)
  const [a, b] = world.sites as [FederatedSite, FederatedSite]
  b.crash()
  ended(a.federation.call('site-b', 'make', { name: 'x' }, { key: 'make/x', timeoutMs: 100 }))
  await world.pass(1000)
  a.crash()
  await stores['site-a'].close()
  await a.reopen(await openSqliteStore(file))
  await b.restart()
  const again = ended(
    a.federation.call('site-b', 'make', { name: 'x' }, { key: 'make/x', timeoutMs: 60_000 }),
  )
  await world.pass(MINUTE_MS)
  assert.deepEqual(again.outcome, { result: { made: 'x' } })
  assert.equal(b.effects.length, 1)
  await world.close()
})
