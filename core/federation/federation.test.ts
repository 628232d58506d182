import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { createPages } from './own/pages.ts'
import { defaultFederationSettings, type FederationSettings } from './settings.ts'
import { ended, type FederatedSite, startFederatedSites } from './testing/federated-sites.ts'
import { createVirtualTime } from './testing/virtual-time.ts'

const user = { id: 'ana', identityProviderId: 'site-a', name: 'Ana', roles: ['user'] }

async function two(t: TestContext, settings: Partial<FederationSettings> = {}) {
  const world = await startFederatedSites(['site-a', 'site-b'], undefined, settings)
  t.after(() => world.close())
  const [a, b] = world.sites as [FederatedSite, FederatedSite]
  const ask = (...args: Parameters<typeof a.federation.call>) => ended(a.federation.call(...args))
  return { ...world, a, b, ask }
}

const errorOf = ({ outcome }: ReturnType<typeof ended>) => {
  assert.ok(outcome && 'error' in outcome, JSON.stringify(outcome))
  return outcome.error
}

test('a read is answered by the member that was asked', async (t) => {
  const { ask, pass } = await two(t)
  const call = ask('site-b', 'echo', { text: 'héllo\u0000' })
  await pass(10)
  assert.deepEqual(call.outcome, { result: 'héllo\u0000' })
})

test('a command is carried out once, and asking again under its key brings the same answer', async (t) => {
  const { ask, pass, b } = await two(t)
  const first = ask('site-b', 'make', { name: 'x', size: 1 }, { key: 'make/x' })
  const joined = ask('site-b', 'make', { size: 1, name: 'x' }, { key: 'make/x' })
  await pass(20)
  const later = ask('site-b', 'make', { name: 'x', size: 1 }, { key: 'make/x' })
  await pass(20)
  for (const call of [first, joined, later])
    assert.deepEqual(call.outcome, { result: { made: 'x' } })
  assert.equal(b.effects.length, 1)
})

test('the same key for other parameters is refused', async (t) => {
  const { ask, pass } = await two(t)
  ask('site-b', 'make', { name: 'x' }, { key: 'k' })
  const other = ask('site-b', 'make', { name: 'y' }, { key: 'k' })
  await pass(20)
  assert.equal(errorOf(other).code, 'idempotency_conflict')
  const later = ask('site-b', 'make', { name: 'z' }, { key: 'k' })
  await pass(20)
  assert.equal(errorOf(later).code, 'idempotency_conflict')
})

test('what the member refuses is thrown as it said it', async (t) => {
  const { ask, pass, b } = await two(t)
  b.answer = async () => {
    throw new FogbowError('quota_exceeded', 'no vCPU left at site-b', {
      details: { field: 'vCPU' },
    })
  }
  const read = ask('site-b', 'echo', { text: 'x' })
  const command = ask('site-b', 'make', { name: 'x' })
  await pass(20)
  for (const call of [read, command]) {
    const { code, message, details, outcome } = errorOf(call)
    assert.deepEqual(
      { code, message, details, outcome },
      {
        code: 'quota_exceeded',
        message: 'no vCPU left at site-b',
        details: { field: 'vCPU' },
        outcome: 'refused',
      },
    )
  }
})

test('a defect of the member tells nothing of its inside', async (t) => {
  const { ask, pass, b } = await two(t)
  b.answer = async () => {
    throw new TypeError('/etc/fogbow/secret')
  }
  const call = ask('site-b', 'echo', { text: 'x' })
  await pass(20)
  assert.equal(errorOf(call).code, 'internal_error')
  assert.doesNotMatch(errorOf(call).message, /secret/)
  assert.match(b.logged.join('\n'), /a request of a member failed/)
})

test('a command whose attempt ended in doubt is tried again under the same id until it is known', async (t) => {
  const { ask, pass, a, b } = await two(t)
  let attempts = 0
  const ids = new Set<string>()
  b.answer = async ({ id }) => {
    ids.add(id)
    attempts += 1
    if (attempts < 3) throw new FogbowError('plugin_failure', 'the cloud went away')
    return { made: 'x' }
  }
  const first = ask('site-b', 'make', { name: 'x' }, { key: 'k' })
  await pass(20)
  assert.equal(errorOf(first).code, 'plugin_failure')
  assert.equal(errorOf(first).outcome, 'unknown')
  const joined = ask('site-b', 'make', { name: 'x' }, { key: 'k', timeoutMs: 60_000 })
  await pass(600)
  assert.equal(errorOf(joined).code, 'plugin_failure')
  const last = ask('site-b', 'make', { name: 'x' }, { key: 'k', timeoutMs: 60_000 })
  await pass(5000)
  assert.deepEqual(last.outcome, { result: { made: 'x' } })
  assert.deepEqual([attempts, ids.size, a.federation.counts().pendingCommands], [3, 1, 0])
})

test('a user travels as described by the home site, and without token', async (t) => {
  const { ask, pass } = await two(t)
  const withToken = { ...user, tokenValue: 'secret', attributes: { mail: 'ana@a' } }
  const call = ask('site-b', 'whoAmI', {}, { user: withToken })
  const foreign = ask('site-b', 'whoAmI', {}, { user: { ...user, identityProviderId: 'site-c' } })
  await pass(20)
  assert.deepEqual(call.outcome, { result: { ...user, attributes: { mail: 'ana@a' } } })
  assert.equal(errorOf(foreign).code, 'unauthorized')
})

test('contents that do not fit into a stanza travel in pieces, both ways', async (t) => {
  const { ask, pass, network } = await two(t)
  const text = 'é€😀'.repeat(60_000)
  const call = ask('site-b', 'echo', { text })
  const command = ask('site-b', 'make', { name: text })
  await pass(1000)
  assert.deepEqual(call.outcome, { result: text })
  assert.deepEqual(command.outcome, { result: { made: text } })
  const pieces = network.carried.filter(({ iq }) => JSON.stringify(iq).includes('"piece"'))
  assert.ok(pieces.length > 40, `${pieces.length} pieces`)
})

test('long lists come page by page, each in one stanza, and their provider is asked for them once', async (t) => {
  const { ask, pass, network, b } = await two(t)
  const names = Array.from({ length: 3000 }, (_, n) => `image-${n} ${'é'.repeat(n % 40)}`)
  let asked = 0
  b.answer = async () => {
    asked += 1
    return names
  }
  const call = ask('site-b', 'names', {})
  await pass(1000)
  assert.deepEqual(call.outcome, { result: names })
  assert.equal(asked, 1)
  const answers = network.carried.filter(({ kind, from }) => kind === 'answer' && /b$/.test(from))
  assert.ok(answers.length >= 6, `${answers.length} pages`)
  const said = JSON.stringify(network.carried.map(({ iq }) => iq))
  assert.doesNotMatch(said, /"parcel"/)
})

test('a list whose member was restarted between two pages is asked for anew', async (t) => {
  const { ask, pass, network, b } = await two(t)
  const names = Array.from({ length: 1200 }, (_, n) => `image-${n}`)
  b.answer = async () => names
  let answers = 0
  network.fate = ({ kind, from }) => {
    if (kind === 'answer' && /b$/.test(from)) answers += 1
    return { arrivals: [answers === 1 ? 1000 : 1] }
  }
  const call = ask('site-b', 'names', {})
  await pass(500)
  b.crash()
  await b.restart()
  await pass(30_000)
  assert.deepEqual(call.outcome, { result: names })
})

test('the pages of a list are for the member that asked for it, as long as they are kept', () => {
  const clock = createVirtualTime()
  const pages = createPages(clock)
  const items = Array.from({ length: 5 }, (_, n) => n)
  const { items: some, next = '' } = pages.first('site-a', items, 2)
  assert.deepEqual(some, [0, 1])
  assert.throws(() => pages.following('site-c', next), { code: 'not_found' })
  const second = pages.following('site-a', next)
  assert.deepEqual(pages.following('site-a', second.next ?? ''), { items: [4] })
  for (const wrong of ['', '.', `${next}9`, next.replace(/\d+$/, '-1'), next.replace(/\d+$/, 'x')])
    assert.throws(() => pages.following('site-a', wrong), { code: 'not_found' })
  clock.skip(60_001)
  assert.throws(() => pages.following('site-a', next), { code: 'not_found' })
  const large = Array.from({ length: 40 }, () => 'x'.repeat(1024 * 1024))
  assert.equal(pages.first('site-a', large, 2).items.length, 40, 'too much is not kept')
})

test('what is too large for any number of pieces is refused before anything is sent', async (t) => {
  const { ask, pass, network } = await two(t)
  const call = ask('site-b', 'echo', { text: 'x'.repeat(4_500_000) })
  await pass(100)
  assert.equal(errorOf(call).code, 'payload_too_large')
  assert.equal(network.carried.length, 0)
})

test('who may ask whom is decided for each direction', async (t) => {
  const { a, b, pass, ask } = await two(t)
  const denied: [Partial<FederationSettings>, RegExp][] = [
    [{ requesters: [] }, /site-a may not ask 'make' here/],
    [{ members: [] }, /gave no answer|did not say/],
  ]
  for (const [settings, why] of denied) {
    b.settings = { ...b.settings, ...settings }
    const call = ask('site-b', 'make', { name: 'x' }, { timeoutMs: 500 })
    await pass(1000)
    assert.match(errorOf(call).message, why)
  }
  a.settings = { ...a.settings, targets: ['site-c'] }
  const call = ask('site-b', 'make', { name: 'x' })
  const stranger = ask('site-x', 'make', { name: 'x' })
  await pass(10)
  assert.match(errorOf(call).message, /site-b may not be asked 'make' from here/)
  assert.match(errorOf(stranger).message, /site-x is no member/)
  assert.deepEqual(b.effects, [])
})

test('a requester that may order here is told of its orders, though nobody here may order there', async (t) => {
  const { a, b, pass } = await two(t)
  b.settings = { ...b.settings, targets: [] }
  const push = ended(b.federation.call('site-a', 'changed', { orderId: 'o', generation: 1 }))
  await pass(20)
  assert.deepEqual(push.outcome, { result: undefined })
  assert.equal(a.effects.length, 1)
})

test('what is there already can be ended where nothing new is let through', async (t) => {
  const { a, b, pass, ask } = await two(t)
  a.settings = { ...a.settings, targets: [] }
  b.settings = { ...b.settings, requesters: [] }
  const more = ask('site-b', 'make', { name: 'x' })
  const end = ask('site-b', 'unmake', { name: 'x' })
  await pass(20)
  assert.match(errorOf(more).message, /site-b may not be asked 'make' from here/)
  assert.deepEqual(end.outcome, { result: undefined })
  assert.equal(b.effects.length, 1)
})

test('a member none of whose keys is known is not asked, and told what is missing', async (t) => {
  const { ask, pass, network } = await two(t, { peers: {} })
  const call = ask('site-b', 'echo', { text: 'x' })
  await pass(20)
  assert.match(
    errorOf(call).message,
    /none of its keys is known here; add them to federation.peers/,
  )
  assert.ok(network.carried.every(({ iq }) => !JSON.stringify(iq).includes('request"')))
})

test('first keys are taken unseen only where the administrator allows that', async (t) => {
  const { ask, pass, a } = await two(t, { peers: {}, newKeys: 'firstUse' })
  const call = ask('site-b', 'echo', { text: 'x' })
  await pass(50)
  assert.deepEqual(call.outcome, { result: 'x' })
  assert.match(a.logged.join('\n'), /the first keys of a member were taken/)
})

test('envelopes are encrypted once the keys of both are known, and must be where that is demanded', async (t) => {
  const { ask, pass, network, a, b } = await two(t, { encryption: 'whenPossible' })
  const settle = async () => {
    // The library encrypts on threads, which virtual time does not wait for.
    for (let turns = 0; turns < 40; turns += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      await pass(2)
    }
  }
  await pass(60_000)
  await settle()
  network.carried.length = 0
  const call = ask('site-b', 'echo', { text: 'x' })
  await settle()
  assert.deepEqual(call.outcome, { result: 'x' })
  const texts = network.carried.map(({ iq }) => JSON.stringify(iq))
  for (const text of texts.filter((text) => text.includes('urn:fogbow')))
    assert.match(text, /"[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+"/)
  b.settings = { ...b.settings, encryption: 'always' }
  a.settings = { ...a.settings, encryption: 'never' }
  const plain = ask('site-b', 'echo', { text: 'x' })
  await settle()
  assert.match(errorOf(plain).message, /not-authorized: unencrypted/)
  assert.ok(b.federation.counts().refusals.unencrypted > 0)
})

for (const encryption of ['never', 'whenPossible'] as const)
  test(`a member rotates all its keys while it is asked and asks, with encryption '${encryption}'`, async (t) => {
    const { ask, pass, a, b } = await two(t, { encryption })
    const settle = async (ms: number) => {
      for (let turns = 0; turns < 40; turns += 1) {
        await pass(ms / 40)
        if (encryption !== 'never') await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
    const trade = async (name: string) => {
      const calls = [
        ask('site-b', 'echo', { text: name }),
        ask('site-b', 'make', { name }),
        ended(b.federation.call('site-a', 'echo', { text: name })),
        ended(b.federation.call('site-a', 'make', { name })),
      ]
      await settle(2000)
      for (const { outcome } of calls)
        assert.ok(outcome && 'result' in outcome, `${name}: ${JSON.stringify(outcome)}`)
    }
    await settle(60_000)
    const before = [a.keys.signing.kid, a.keys.encryption.kid]
    for (const step of ['announceNext', 'takeNext', 'dropFormer'] as const) {
      await a.keys[step]()
      await settle(90_000)
      await trade(step)
    }
    assert.ok(!before.includes(a.keys.signing.kid) && !before.includes(a.keys.encryption.kid))
    for (const { federation } of [a, b]) {
      const refused = Object.entries(federation.counts().refusals).filter(([, count]) => count > 0)
      assert.deepEqual(refused, [])
    }
  })

test('members are asked for a sign of life only when there was no other', async (t) => {
  const { pass, network, a, time } = await two(t)
  let drawn = 0
  time.chance = () => {
    drawn += 0.37
    return drawn % 1
  }
  assert.equal(a.federation.members()[1]?.liveness, 'unknown')
  await pass(60_000)
  const [self, b] = a.federation.members()
  assert.deepEqual(self, { id: 'site-a', local: true, dialect: 'own', liveness: 'alive' })
  assert.deepEqual(
    { dialect: b?.dialect, liveness: b?.liveness, latencyMs: b?.latencyMs, problem: b?.problem },
    { dialect: 'own', liveness: 'alive', latencyMs: 2, problem: undefined },
  )
  network.carried.length = 0
  await pass(300_000)
  const pings = network.carried.filter(({ kind }) => kind === 'request').length
  assert.ok(pings >= 6 && pings <= 14, `${pings} pings of two sites in five minutes`)
})

test('no timer runs at a site without members', async (t) => {
  const world = await startFederatedSites(['site-a'], undefined, { members: [] })
  t.after(() => world.close())
  await world.pass(86_400_000)
  assert.equal(world.network.carried.length, 0)
  assert.deepEqual(defaultFederationSettings.members, [])
})

test('a member that cannot be reached is spared, known as silent, and found again', async (t) => {
  const { ask, pass, a, b } = await two(t)
  await pass(60_000)
  b.crash()
  for (let n = 0; n < 3; n += 1) ask('site-b', 'echo', { text: 'x' })
  await pass(1000)
  const spared = ask('site-b', 'echo', { text: 'x' })
  await pass(1)
  assert.match(errorOf(spared).message, /could not be reached lately/)
  const command = ask('site-b', 'make', { name: 'x' }, { timeoutMs: 600_000 })
  await pass(300_000)
  assert.equal(a.federation.members()[1]?.liveness, 'silent')
  assert.match(a.federation.members()[1]?.problem ?? '', /site-b/)
  await b.restart()
  await pass(90_000)
  assert.deepEqual(command.outcome, { result: { made: 'x' } })
  assert.equal(a.federation.members()[1]?.liveness, 'alive')
  assert.equal(a.federation.members()[1]?.problem, undefined)
})
