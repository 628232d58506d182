import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { RemoteCall } from '../contract.ts'
import { type Element, element, elementsOf, systemClock } from '../xmpp/index.ts'
import { createManualClock } from '../xmpp/testing/manual-clock.ts'
import { createJavaDialect } from './java-dialect.ts'
import { A, ana, B, type Golden, goldens } from './testing/golden.ts'
import { createMemoryNetwork } from './testing/memory-network.ts'
import { createModelSite } from './testing/model-site.ts'
import { parseStanza } from './testing/parse-stanza.ts'

const children = (xml: string): Element[] => elementsOf(parseStanza(`<iq>${xml}</iq>`))

/** As seen by a reader: names, namespaces, order and text. */
const seen = (iq: Element) => elementsOf(iq)

for (const golden of goldens.filter(({ only }) => only !== 'answering'))
  test(`${golden.title}: ${golden.method} is asked for in exactly the layout of the original, and its answer understood`, async () => {
    const network = createMemoryNetwork(systemClock)
    const peer = network.component(`ras-${B}`)
    const results = { [namespaceOf(golden)]: golden.result, ...golden.also }
    for (const [namespace, result] of Object.entries(results))
      for (const type of ['get', 'set'] as const)
        peer.serve(type, namespace, async () => children(result))
    const site = createModelSite({
      siteId: A,
      component: network.component(`ras-${A}`),
      clock: systemClock,
      create: createJavaDialect(),
    })

    const answer = await site.call(
      B,
      golden.method,
      golden.params,
      golden.onBehalf ? ana : undefined,
    )

    const [asked] = network.stanzas
    assert.ok(asked)
    assert.equal(asked.attributes.type, golden.type)
    assert.deepEqual(seen(asked), children(golden.request))
    if ('brings' in golden) assert.deepEqual(withoutTimes(answer), golden.brings)
  })

for (const golden of goldens.filter(({ only }) => only !== 'asking'))
  test(`${golden.title}: what the original asks is understood, and answered in exactly its layout`, async () => {
    const clock = createManualClock()
    const network = createMemoryNetwork(clock)
    const script = [...golden.asks]
    const site = createModelSite({
      siteId: golden.method === 'orderChanged' ? A : B,
      component: network.component(`ras-${B}`),
      clock,
      create: createJavaDialect(),
      answer: async (call) => answerOf(script, call),
    })
    const from = network.component(`ras-${A}`)

    const result = await from.request(`ras-${B}`, golden.type, children(golden.request), {
      timeoutMs: 5000,
    })

    assert.deepEqual(seen(result), children(golden.result))
    assert.deepEqual(script, [], 'not everything was asked')
    for (const { member, method, user, deadline } of site.asked) {
      assert.equal(member, A)
      assert.deepEqual(user, method.onBehalf ? ana : undefined)
      assert.equal(deadline, clock.now() + 5000)
    }
    assert.deepEqual(site.defects, [])
  })

function namespaceOf({ request }: Golden): string {
  const query = children(request).find(({ name }) => name === 'query')
  return query?.namespace ?? ''
}

/** Answers as scripted, in any order. */
function answerOf(script: Golden['asks'][number][], call: RemoteCall): unknown {
  const at = script.findIndex(
    ({ method, params }) => method === call.method.name && isEqual(params, call.params),
  )
  assert.ok(at >= 0, `asked ${call.method.name} ${JSON.stringify(call.params)}`)
  const [{ says }] = script.splice(at, 1) as [Golden['asks'][number]]
  if (says instanceof FogbowError) throw says
  return says
}

function isEqual(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b)
    return true
  } catch {
    return false
  }
}

function withoutTimes(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return answer
  const {
    generation: _generation,
    observedAt: _observedAt,
    ...rest
  } = answer as Record<string, unknown>
  return rest
}

test('every id of a stanza is used once', async () => {
  const network = createMemoryNetwork(systemClock)
  const peer = network.component(`ras-${B}`)
  peer.serve('set', 'remoteDeleteOrder', async () => [])
  const site = createModelSite({
    siteId: A,
    component: network.component(`ras-${A}`),
    clock: systemClock,
    create: createJavaDialect(),
  })
  const params = { kind: 'compute', orderId: 'order-1' }
  await Promise.all([1, 2, 3].map(() => site.call(B, 'deleteOrder', params, ana)))
  const ids = network.stanzas.filter(({ attributes }) => attributes.type === 'set')
  assert.equal(new Set(ids.map(({ attributes }) => attributes.id)).size, 3)
})

test('of a user only the base fields travel', async () => {
  const network = createMemoryNetwork(systemClock)
  const peer = network.component(`ras-${B}`)
  peer.serve('get', 'remoteGetCloudNames', async () => [
    element('query', { xmlns: 'remoteGetCloudNames' }, [element('cloudNamesList', {}, ['[]'])]),
  ])
  const site = createModelSite({
    siteId: A,
    component: network.component(`ras-${A}`),
    clock: systemClock,
    create: createJavaDialect(),
  })
  const user = {
    ...ana,
    roles: ['member'],
    attributes: { mail: 'ana@example' },
    tokenValue: 'secret',
    token: 'secret',
  }
  await site.call(B, 'listClouds', {}, user)
  const [asked] = network.stanzas
  assert.deepEqual(
    asked && elementsOf(asked),
    children(
      `<query xmlns='remoteGetCloudNames'><systemUser>{"roles":["member"],"identityProviderId":"${A}","id":"u1","name":"ana"}</systemUser></query>`,
    ),
  )
})
