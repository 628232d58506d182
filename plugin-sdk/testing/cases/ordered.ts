import assert from 'node:assert/strict'
import type { OrderedKind } from '../../resources/define-resource.ts'
import type { ConformanceCase } from '../conformance.ts'
import {
  deleteInstance,
  getInstance,
  inScope,
  isGone,
  type Order,
  obstacle,
  requestInstance,
  type Scope,
  untilGone,
  untilReady,
} from '../scope.ts'
import { casesOf, type Trial } from '../trial.ts'

type Amounts = Record<string, number>

/** True of every kind that is ordered: exactly one instance per order, whatever happens on the way. */
export function orderedCases(kind: OrderedKind, trial: Trial): ConformanceCase[] {
  const skip = obstacle(trial, kind)
  const make = casesOf(kind.name)
  const test = (name: string, run: (scope: Scope) => Promise<void>, why = skip) =>
    make(name, () => inScope(trial, run), why)
  const unknownOrder = async (scope: Scope): Promise<Order> => ({
    ...(await scope.order(kind)),
    instanceId: `no-such-${crypto.randomUUID()}`,
  })

  return [
    test('an instance that was requested becomes ready', async (scope) => {
      const order = await scope.request(kind, await scope.order(kind))
      await untilReady(trial, kind, order)
    }),

    test('requestInstance twice with one order id gives one instance', async (scope) => {
      const order = await scope.order(kind)
      const before = await usedCount(trial, kind)
      const first = await requestInstance(trial, kind, order)
      const second = await requestInstance(trial, kind, order)
      assert.equal(second.instanceId, first.instanceId, 'the second call made another instance')
      await untilReady(trial, kind, { ...order, ...first })
      await assertCounted(trial, kind, before, 1)
    }),

    test('requestInstance at the same time with one order id gives one instance', async (scope) => {
      const order = await scope.order(kind)
      const before = await usedCount(trial, kind)
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => requestInstance(trial, kind, order)),
      )
      const ids = new Set(answers.map(({ instanceId }) => instanceId))
      assert.equal(ids.size, 1, `one order got ${ids.size} instances`)
      await untilReady(trial, kind, { ...order, ...answers[0] })
      await assertCounted(trial, kind, before, 1)
    }),

    test(
      'requestInstance again after a restart gives the same instance',
      async (scope) => {
        const order = await scope.order(kind)
        const first = await requestInstance(trial, kind, order)
        await trial.restart()
        const second = await requestInstance(trial, kind, order)
        assert.equal(second.instanceId, first.instanceId, 'after a restart another was made')
        await getInstance(trial, kind, { ...order, ...first })
      },
      skip ?? trial.noRestart,
    ),

    test('two orders give two instances, and deleting one leaves the other', async (scope) => {
      const left = await scope.ready(kind)
      const right = await scope.ready(kind)
      assert.notEqual(left.instanceId, right.instanceId, 'two orders got the same instance')
      await deleteInstance(trial, kind, left)
      await untilGone(trial, kind, left)
      assert.equal(await isGone(trial, kind, right), false, 'the other instance went as well')
    }),

    test('getInstance of something unknown says instance_not_found', async (scope) => {
      const order = await unknownOrder(scope)
      await trial.refused('an unknown instance', getInstance(trial, kind, order), [
        'instance_not_found',
      ])
    }),

    test('getInstance of an order that made nothing says instance_not_found', async (scope) => {
      const order = await scope.order(kind)
      await trial.refused('an order without instance', getInstance(trial, kind, order), [
        'instance_not_found',
      ])
    }),

    test('deleteInstance makes the instance disappear', async (scope) => {
      const order = await scope.ready(kind)
      await deleteInstance(trial, kind, order)
      await untilGone(trial, kind, order)
    }),

    test('deleteInstance of something gone succeeds', async (scope) => {
      const order = await scope.ready(kind)
      await deleteInstance(trial, kind, order)
      await deleteInstance(trial, kind, order)
      await untilGone(trial, kind, order)
      await deleteInstance(trial, kind, order)
    }),

    test('deleteInstance of something that never was succeeds', async (scope) => {
      await deleteInstance(trial, kind, await unknownOrder(scope))
      await deleteInstance(trial, kind, await scope.order(kind))
    }),

    test('deleteInstance without instance id deletes what the order made', async (scope) => {
      const order = await scope.order(kind)
      const withId = await scope.request(kind, order)
      await untilReady(trial, kind, withId)
      await deleteInstance(trial, kind, order)
      await untilGone(trial, kind, withId)
    }),

    test('a name may hold any characters', async (scope) => {
      const name = 'Überraschung <b>"quoted"</b> \\ ./.. 名前 🐦'
      const order = { ...(await scope.order(kind)), name }
      const withId = await scope.request(kind, order)
      await untilReady(trial, kind, withId)
    }),

    ...referenceCases(kind, trial, test),
    ...quotaCases(kind, trial, test, skip),
  ]
}

type Make = (name: string, run: (scope: Scope) => Promise<void>, why?: string) => ConformanceCase

function referenceCases(kind: OrderedKind, trial: Trial, test: Make): ConformanceCase[] {
  const unknown = unknownFields(kind)
  if (unknown.length === 0) return []
  return [
    test('a request that names something unknown is refused, and says what', async (scope) => {
      for (const fields of unknown) {
        const order = await scope.order(kind, fields)
        const before = await usedCount(trial, kind)
        await trial.refused(JSON.stringify(fields), requestInstance(trial, kind, order), [
          'instance_not_found',
          'invalid_parameter',
          'unacceptable_operation',
        ])
        await assertCounted(trial, kind, before, 0)
      }
    }),
  ]
}

/** What the site knows to be taken, and gives back. */
function quotaCases(
  kind: OrderedKind,
  trial: Trial,
  test: Make,
  skip: string | undefined,
): ConformanceCase[] {
  if (!kind.countedAs) return []
  const without = trial.offers('quota.getUserQuota') ? undefined : 'the plugin offers no quota'
  return [
    test(
      'the quota used grows with an instance and shrinks when it is gone',
      async (scope) => {
        const order = await scope.order(kind)
        const before = await used(trial)
        const { instanceId, allocation = {} } = await requestInstance(trial, kind, order)
        const withId = { ...order, instanceId }
        await untilReady(trial, kind, withId)
        await untilUsed(trial, before, { ...allocation, [kind.countedAs ?? '']: 1 })
        await deleteInstance(trial, kind, withId)
        await untilGone(trial, kind, withId)
        await untilUsed(trial, before, {})
      },
      skip ?? without,
    ),
  ]
}

/** Requests that refer to what does not exist: each reference, and the image of a compute. */
function unknownFields(kind: OrderedKind): Record<string, unknown>[] {
  const properties = kind.request.properties as Record<string, { type?: unknown } | undefined>
  const unknown = `no-such-${crypto.randomUUID()}`
  const fields = [...Object.keys(kind.references), ...(properties.imageId ? ['imageId'] : [])]
  return fields.map((field) => ({
    [field]: properties[field]?.type === 'array' ? [unknown] : unknown,
  }))
}

async function used(trial: Trial): Promise<Amounts> {
  const { usedQuota } = await trial.call<{ usedQuota: Amounts }>(
    'quota.getUserQuota',
    trial.localToken,
  )
  return usedQuota
}

/** How many instances of a kind the cloud counts; undefined when it does not tell. */
async function usedCount(trial: Trial, kind: OrderedKind): Promise<number | undefined> {
  if (!kind.countedAs || !trial.offers('quota.getUserQuota')) return undefined
  const count = (await used(trial))[kind.countedAs]
  return count === -1 ? undefined : count
}

const LONGEST_COUNT_MS = 30_000

/** Clouds that build what they answered already may count it a little later. */
async function assertCounted(
  trial: Trial,
  kind: OrderedKind,
  before: number | undefined,
  more: number,
): Promise<void> {
  if (before === undefined) return
  let now: number | undefined
  const isCounted = async () => {
    now = await usedCount(trial, kind)
    return now === before + more || undefined
  }
  await trial.eventually('the count', isCounted, LONGEST_COUNT_MS).catch(() => {
    assert.fail(`the cloud counts ${now} ${kind.countedAs}, not ${before + more}`)
  })
}

/** Amounts of -1 are unknown to the cloud, and amounts that quotas do not have are not compared. */
async function untilUsed(trial: Trial, before: Amounts, more: Amounts): Promise<void> {
  const expected = Object.entries(before)
    .filter(([, was]) => was !== -1)
    .map(([amount, was]) => [amount, was + (more[amount] ?? 0)] as const)
  const text = expected.map(([amount, value]) => `${amount} ${value}`).join(', ')
  await trial.eventually(`a quota used of ${text}`, async () => {
    const now = await used(trial)
    return expected.every(([amount, value]) => now[amount] === value) || undefined
  })
}
