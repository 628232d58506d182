import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { createSiteFacts, type FactSource } from './facts.ts'

const user = { id: 'ana', identityProviderId: 'site-a', name: 'Ana', roles: [] }
const amounts = {
  instances: 1,
  vCPU: 2,
  ram: 3,
  storage: 4,
  volumes: 5,
  networks: 6,
  publicIps: 7,
}
const quota = { total: amounts, used: amounts }
const settings = { waitMs: 1000, answerMs: 10_000, freshMs: 5000 }

/** Time that passes when told to. */
function createTime() {
  const timers = new Set<{ at: number; run: () => void }>()
  let now = Date.UTC(2030, 0, 1)
  return {
    timers,
    now: () => now,
    after(ms: number, run: () => void) {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    pass(ms: number) {
      now += ms
      for (const timer of [...timers].filter(({ at }) => at <= now)) {
        timers.delete(timer)
        timer.run()
      }
    },
  }
}

function answering(clouds: string[], asked: string[] = []): FactSource {
  return {
    async listClouds() {
      asked.push('clouds')
      return clouds
    },
    async query(_user, { cloudName }) {
      asked.push(cloudName)
      return { totalQuota: amounts, usedQuota: amounts }
    },
  }
}

function never(signals: AbortSignal[] = []): FactSource {
  const forever = (signal: AbortSignal) => {
    signals.push(signal)
    return new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  }
  return {
    listClouds: (_user, signal) => forever(signal),
    query: (_user, _query, signal) => forever(signal),
  }
}

function createFacts(sources: Record<string, FactSource>) {
  const clock = createTime()
  const of = (provider: string) => {
    const source = sources[provider]
    if (!source) throw new FogbowError('unavailable_provider', `${provider} cannot be asked`)
    return source
  }
  return { clock, ...createSiteFacts({ of, clock, settings }) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('clouds are learnt, and the quota in the default one', async () => {
  const asked: string[] = []
  const { gather, clock } = createFacts({ b: answering(['default', 'lab'], asked) })
  const facts = await gather(user, ['b'])
  assert.deepEqual(facts.get('b'), { clouds: ['default', 'lab'], quota })
  assert.deepEqual(asked, ['clouds', 'default'])
  assert.equal(clock.timers.size, 0)
})

test('the quota is that of the cloud which is wanted, if there is one', async () => {
  const asked: string[] = []
  const { gather } = createFacts({ b: answering(['default', 'lab'], asked) })
  await gather(user, ['b'], 'lab')
  const without = await gather(user, ['b'], 'other')
  assert.deepEqual(asked, ['clouds', 'lab', 'clouds'])
  assert.equal(without.get('b')?.quota, undefined)
})

test('nobody waits for a site that does not answer, and it is given up in the end', async () => {
  const signals: AbortSignal[] = []
  const { gather, clock } = createFacts({ b: never(signals), c: answering(['default']) })
  const gathering = gather(user, ['b', 'c'])
  await turn()
  clock.pass(settings.waitMs)
  const facts = await gathering
  assert.deepEqual(facts.get('b'), {})
  assert.deepEqual(facts.get('c'), { clouds: ['default'], quota })
  clock.pass(settings.answerMs)
  assert.equal(signals[0]?.aborted, true)
})

test('what comes too late is there for the next one, and is not asked for again', async () => {
  const late = Promise.withResolvers<string[]>()
  let asked = 0
  const source = answering([])
  const { gather, clock } = createFacts({
    b: {
      ...source,
      listClouds() {
        asked += 1
        return late.promise
      },
    },
  })
  const gathering = gather(user, ['b'])
  await turn()
  clock.pass(settings.waitMs)
  await gathering
  late.resolve(['default'])
  const facts = await gather(user, ['b'])
  assert.deepEqual(facts.get('b')?.clouds, ['default'])
  assert.equal(asked, 1)
})

test('an answer is used again for a while, for the same user only', async () => {
  const asked: string[] = []
  const { gather, clock } = createFacts({ b: answering(['default'], asked) })
  const times = () => asked.filter((what) => what === 'clouds').length
  await Promise.all([gather(user, ['b']), gather(user, ['b'])])
  await gather(user, ['b'])
  assert.equal(times(), 1)
  await gather({ ...user, identityProviderId: 'site-b' }, ['b'])
  assert.equal(times(), 2)
  clock.pass(settings.freshMs)
  await gather(user, ['b'])
  assert.equal(times(), 3)
})

test('a site that refuses, or cannot be asked, tells what it told before', async () => {
  const { gather } = createFacts({
    b: {
      ...answering(['default']),
      query: async () => {
        throw new FogbowError('not_implemented', 'no quota here')
      },
    },
  })
  const facts = await gather(user, ['b', 'nobody'])
  assert.deepEqual(facts.get('b'), { clouds: ['default'] })
  assert.deepEqual(facts.get('nobody'), {})
})
