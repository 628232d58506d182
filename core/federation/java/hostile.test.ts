import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Element, elementsOf, XmppError } from '../xmpp/index.ts'
import { goldens } from './testing/golden.ts'
import { parseStanza } from './testing/parse-stanza.ts'
import { createSites, OURS, THEIRS } from './testing/sites.ts'

const user = `{"identityProviderId":"${THEIRS}","id":"u9","name":"rui"}`
const ORDER_CLASS = 'cloud.fogbow.ras.core.models.orders.VolumeOrder'
const order = {
  id: 'order-1',
  volumeSize: 1,
  name: 'v',
  requester: THEIRS,
  provider: OURS,
  cloudName: 'c1',
  type: 'VOLUME',
  systemUser: JSON.parse(user),
}
const create = (json: string, className = ORDER_CLASS) =>
  `<query xmlns='remoteCreateOrder'><order>${json}</order><orderClassName>${className}</orderClassName></query>`

/** @returns how the site of ours answered a peer */
async function answerTo(xml: string, from = `ras-${THEIRS}`, type: 'get' | 'set' = 'set') {
  const { network, ours, model } = createSites()
  const iq = parseStanza(`<iq>${xml}</iq>`)
  const component = network.component(from)
  const asked = component.request(`ras-${OURS}`, type, iq.children as Element[], { timeoutMs: 1 })
  const condition = await asked.then(
    () => 'result',
    (error) => {
      assert.ok(error instanceof XmppError, String(error))
      return error.condition
    },
  )
  return { condition, orders: model.orders, defects: ours.defects }
}

test('the same order in any dress is understood: order of children, namespaces, strangers, nulls, texts for numbers', async () => {
  const { requester: _r, provider: _p, ...others } = order
  const dressed = {
    surprise: { a: [1] },
    ...others,
    requester: THEIRS.toUpperCase(),
    provider: OURS,
    instanceId: null,
    volumeSize: '1',
    orderState: 'NOBODY_KNOWS',
  }
  const xml =
    "<x xmlns='urn:x'/><query xmlns='remoteCreateOrder'><more/>" +
    `<orderClassName xmlns='urn:y' a='1'>\n ${ORDER_CLASS} </orderClassName><order xmlns=''>${JSON.stringify(dressed)}</order></query>`
  const { condition, orders } = await answerTo(xml)
  assert.equal(condition, 'result')
  assert.deepEqual(orders.get('order-1')?.request, { size: 1 })
})

test('the user is found at either place, and words are read bare or in quotes', async () => {
  const { network, requester, ours } = createSites()
  await requester.create(OURS, 'VOLUME', order)
  const component = network.component(`ras-${THEIRS}`)
  const ask = (xml: string) =>
    component.request(`ras-${OURS}`, 'get', parseStanza(`<iq>${xml}</iq>`).children as Element[], {
      timeoutMs: 1,
    })
  const who = `<systemUser>${JSON.stringify(requester.user)}</systemUser>`
  for (const word of ['VOLUME', '"VOLUME"', "'VOLUME'", ' VOLUME\n']) {
    const about = `<orderId>order-1</orderId><instanceType>${word}</instanceType>`
    await ask(`<query xmlns='remoteGetInstance'>${about}${who}</query>`)
    await ask(`<query xmlns='remoteGetInstance'>${about}</query>${who}`)
    await ask(`${who}<query xmlns='remoteGetInstance'>${about}</query>`)
  }
  assert.equal(ours.asked.filter(({ method }) => method.name === 'getInstance').length, 12)
})

const refused: [title: string, xml: string, condition: string, from?: string][] = [
  [
    'a class that is none of the protocol',
    create(JSON.stringify(order), 'javax.script.ScriptEngineManager'),
    'bad-request',
  ],
  [
    'a class named like a property of every object',
    create(JSON.stringify(order), 'cloud.fogbow.ras.core.models.orders.constructorOrder'),
    'bad-request',
  ],
  [
    'a class that does not agree with the type',
    create(JSON.stringify({ ...order, type: 'COMPUTE' })),
    'bad-request',
  ],
  ['JSON that is deep', create('['.repeat(100_000)), 'bad-request'],
  ['JSON that is none', create('{"id":'), 'bad-request'],
  ['JSON that is no object', create('7'), 'bad-request'],
  ['an order without a user', create('{"id":"x","type":"VOLUME"}'), 'bad-request'],
  ['an order that is text', create('"order"'), 'bad-request'],
  ['numbers that are none', create(JSON.stringify({ ...order, volumeSize: {} })), 'bad-request'],
  ['numbers beyond all measure', create('{"volumeSize":1e400,"id":"order-1"}'), 'bad-request'],
  ['an id that is a list', create(JSON.stringify({ ...order, id: ['a'] })), 'bad-request'],
  ['an endless id', create(JSON.stringify({ ...order, id: 'x'.repeat(65) })), 'bad-request'],
  [
    'an order for another provider',
    create(JSON.stringify({ ...order, provider: 'elsewhere.example' })),
    'bad-request',
  ],
  [
    'an order in the name of another site',
    create(JSON.stringify({ ...order, requester: OURS })),
    'bad-request',
  ],
  [
    "another site's user",
    create(JSON.stringify({ ...order, systemUser: { id: 'x', identityProviderId: OURS } })),
    'forbidden',
  ],
  [
    'a user without an id',
    create(JSON.stringify({ ...order, systemUser: { identityProviderId: THEIRS } })),
    'forbidden',
  ],
  [
    'a site that is no member',
    create(JSON.stringify({ ...order, requester: 'evil.example' })),
    'forbidden',
    'ras-evil.example',
  ],
  ['a component that is no site', create(JSON.stringify(order)), 'forbidden', 'theirs.example'],
  ['a request without its children', "<query xmlns='remoteDeleteOrder'/>", 'bad-request'],
  [
    'a deletion without a user',
    "<query xmlns='remoteDeleteOrder'><orderId>order-1</orderId><instanceType>VOLUME</instanceType></query>",
    'bad-request',
  ],
  [
    'a kind that is none',
    `<query xmlns='remoteDeleteOrder'><orderId>order-1</orderId><instanceType>__proto__</instanceType><systemUser>${user}</systemUser></query>`,
    'bad-request',
  ],
  [
    'a rule that is none',
    `<query xmlns='remoteCreateSecurityRule'><orderId>order-1</orderId><systemUser>${user}</systemUser><securityRule>[]</securityRule></query>`,
    'bad-request',
  ],
]

for (const [title, xml, expected, from] of refused)
  test(`${title}: ${expected}, nothing is made and nothing breaks`, async () => {
    const { condition, orders, defects } = await answerTo(xml, from)
    assert.equal(condition, expected)
    assert.equal(orders.size, 0)
    assert.deepEqual(defects, [])
  })

test('names of prototypes in the requirements are no more than names', async () => {
  const json = JSON.stringify({ ...order, requirements: {} }).replace(
    '"requirements":{}',
    '"requirements":{"__proto__":{"polluted":"yes"},"constructor":"x"}',
  )
  const { condition, orders } = await answerTo(create(json))
  assert.equal(condition, 'result')
  const requirements = orders.get('order-1')?.request.requirements as object
  assert.deepEqual(Object.entries(requirements), [['constructor', 'x']])
  assert.equal(Object.getPrototypeOf(requirements), Object.prototype)
  assert.equal(({} as { polluted?: string }).polluted, undefined)
})

const conditions = new Set([
  'result',
  'bad-request',
  'forbidden',
  'item-not-found',
  'not-acceptable',
  'conflict',
  'internal-server-error',
])

test('requests with any content whatever get a proper answer', async () => {
  const requests = goldens.map(({ request, type }) => ({
    iq: parseStanza(`<iq>${request}</iq>`),
    type,
  }))
  const mutated = fc.tuple(
    fc.constantFrom(...requests),
    fc.nat(),
    fc.oneof(
      fc.json(),
      fc.string({ unit: 'grapheme-ascii' }),
      fc.constantFrom('null', '', '#', '"', "'"),
    ),
    fc.boolean(),
  )
  const { network, ours } = createSites()
  const component = network.component(`ras-${THEIRS}`)
  await fc.assert(
    fc.asyncProperty(mutated, async ([{ iq, type }, at, text, isDropped]) => {
      let leaf = 0
      const mutate = (of: Element): Element[] => {
        const inner = elementsOf(of)
        if (inner.length > 0) return [{ ...of, children: inner.flatMap(mutate) }]
        leaf += 1
        if ((leaf + at) % 3 !== 0) return [of]
        return isDropped ? [] : [{ ...of, children: [text] }]
      }
      const children = elementsOf(iq).flatMap(mutate)
      const condition = await component
        .request(`ras-${OURS}`, type, children, { timeoutMs: 1 })
        .then(
          () => 'result',
          (error) => (error as XmppError).condition ?? String(error),
        )
      assert.ok(conditions.has(condition), condition)
      assert.deepEqual(ours.defects, [])
    }),
    { numRuns: 2000 },
  )
})
