import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readInstance, writeInstance } from './instance.ts'
import { fromJson, fromWord, toJson, toWord } from './json.ts'
import { readOrder, type WireOrder, writeOrder } from './order.ts'
import { image, quota, securityRules, summaries } from './queried.ts'
import { fromJavaState, toJavaState } from './states.ts'

const text = fc.string({ unit: 'binary', maxLength: 20 })
const id = fc.uuid()
const count = fc.nat({ max: 1_000_000 })
const optional = { requiredKeys: [] }
const requirements = fc.dictionary(
  fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
  text,
  { noNullPrototype: true },
)
const ip = fc.ipV4()

const requests: Readonly<Record<string, fc.Arbitrary<Record<string, unknown>>>> = {
  compute: fc
    .record(
      {
        imageId: text,
        publicKey: text,
        requirements,
      },
      optional,
    )
    .chain((some) =>
      fc
        .record({
          vCPU: count,
          ram: count,
          disk: count,
          userData: fc.array(
            fc.record(
              {
                extraUserDataFileContent: text,
                extraUserDataFileType: fc.constantFrom('SHELL_SCRIPT', 'CLOUD_CONFIG'),
                tag: text,
              },
              optional,
            ),
            { maxLength: 3 },
          ),
          networkIds: fc.array(id, { maxLength: 3 }),
        })
        .map((all) => ({ ...all, ...some })),
    ),
  volume: fc.record({ size: count, requirements }, { requiredKeys: ['size'] }),
  network: fc.record(
    { cidr: text, gateway: text, allocationMode: fc.constantFrom('dynamic', 'static') },
    optional,
  ),
  attachment: fc.record(
    { computeId: id, volumeId: id, device: text },
    { requiredKeys: ['computeId', 'volumeId'] },
  ),
  publicIp: fc.record({ computeId: id }),
}
const nameless = new Set(['attachment', 'publicIp'])
const allocations: Readonly<Record<string, fc.Arbitrary<Record<string, number> | null>>> = {
  compute: fc.record({ vCPU: fc.integer({ min: 1, max: 99 }), ram: count, disk: count }),
  volume: fc.record({ storage: fc.integer({ min: 1, max: 99 }) }),
}
const nobody = fc.constant(null)
const owner = { id: 'u1', identityProviderId: 'site-a', name: 'ana', roles: [] }
const travel = (value: unknown) => fromJson(toJson(value), 'value')

for (const [kind, request] of Object.entries(requests))
  test(`an order of the kind ${kind} is the same after it was written and read`, () => {
    const orders: fc.Arbitrary<WireOrder> = fc
      .record({
        orderId: id,
        state: fc.constantFrom('OPEN', 'SPAWNING', 'FULFILLED', 'CLOSED'),
        cloudName: text,
        instanceId: text,
        faultMessage: text,
        request,
        allocation: fc.oneof(nobody, allocations[kind] ?? nobody),
        name: text,
      })
      .map((order) => {
        const { name, ...rest } = order
        const places = { kind, requester: 'site-a', provider: 'site-b' }
        return { ...rest, ...places, name: nameless.has(kind) ? undefined : name }
      })
    fc.assert(
      fc.property(orders, (order) => {
        assert.deepEqual(readOrder(travel(writeOrder(order, owner)), kind), structuredClone(order))
      }),
    )
  })

const instances: Readonly<Record<string, fc.Arbitrary<Record<string, unknown>>>> = {
  compute: fc.record({
    vCPU: count,
    ram: count,
    disk: count,
    ipAddresses: fc.array(ip, { maxLength: 3 }),
    networks: fc.array(fc.record({ id: text, name: text }), { maxLength: 3 }),
  }),
  volume: fc.record({ size: count }),
  network: fc.record(
    {
      cidr: text,
      gateway: text,
      allocationMode: fc.constantFrom('dynamic', 'static'),
      vLAN: text,
      networkInterface: text,
      macinterface: text,
      interfaceState: text,
    },
    optional,
  ),
  attachment: fc.record({ device: text }, optional),
  publicIp: fc.record({ ip }, optional),
}

for (const [kind, instance] of Object.entries(instances))
  test(`an instance of the kind ${kind} is the same after it was written and read`, () => {
    const seen = fc.record({
      instance,
      request: requests[kind] as fc.Arbitrary<Record<string, unknown>>,
      cloudState: text,
      state: fc.constantFrom('READY', 'FAILED'),
    })
    fc.assert(
      fc.property(seen, ({ instance, request, cloudState, state }) => {
        const reported = { ...instance, cloudState, state }
        const written = writeInstance(
          {
            orderId: 'order-1',
            kind,
            provider: 'site-b',
            cloudName: 'c1',
            name: 'n',
            state: 'FULFILLED',
            faultMessage: null,
            request,
            instance: reported,
            allocation: null,
          },
          new Map(),
        )
        const name = nameless.has(kind) ? {} : { name: 'n' }
        const expected = structuredClone({ ...reported, ...name })
        assert.deepEqual(readInstance(travel(written), kind, request), expected)
      }),
    )
  })

test('rules, images, lists of images and quotas are the same after they were written and read', () => {
  const port = fc.nat({ max: 65_535 })
  const rule = fc.record({
    protocol: fc.constantFrom('TCP', 'UDP', 'ICMP', 'ANY'),
    etherType: fc.constantFrom('IPv4', 'IPv6'),
    direction: fc.constantFrom('IN', 'OUT'),
    portFrom: port,
    portTo: port,
    cidr: text,
    id: text,
  })
  const size = fc.integer({ min: -1 })
  const picture = fc.record({
    name: text,
    size,
    minDisk: size,
    minRam: size,
    status: text,
    id: text,
  })
  const amounts = fc.record(
    Object.fromEntries(
      ['instances', 'vCPU', 'ram', 'storage', 'networks', 'publicIps', 'volumes'].map((name) => [
        name,
        size,
      ]),
    ),
  )
  const cases = [
    [securityRules, fc.array(rule)],
    [image, picture],
    [summaries, fc.array(fc.record({ id: text, name: text }))],
    [quota, fc.record({ totalQuota: amounts, usedQuota: amounts })],
  ] as const
  for (const [form, values] of cases)
    fc.assert(
      fc.property(values as fc.Arbitrary<unknown>, (value) => {
        assert.deepEqual(form.read(travel(form.write(value)), 'value'), structuredClone(value))
      }),
    )
})

test('JSON travels without characters that mean something in XML, whatever it holds', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const plain: unknown = JSON.parse(JSON.stringify(value))
      const json = toJson(plain)
      assert.doesNotMatch(json, /[<>&'=]/)
      assert.deepEqual(JSON.parse(json), plain)
    }),
  )
})

test('a word is the same after it was written and read', () => {
  const words = fc.string({ unit: 'grapheme', minLength: 1 })
  fc.assert(
    fc.property(words, (word) => {
      assert.equal(fromWord(toWord(word)), word)
    }),
  )
})

test('a state of the first version stays what it is, and what is told is always one of them', () => {
  fc.assert(
    fc.property(fc.oneof(text, fc.constantFrom('OPEN', 'PAUSED', 'CLOSED')), (state) => {
      const told = toJavaState(state)
      assert.equal(toJavaState(told), told)
      assert.equal(fromJavaState(told), told)
    }),
  )
})
