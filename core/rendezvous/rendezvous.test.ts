import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import {
  I_AM_ALIVE,
  makeHeartbeat,
  OWN,
  PAGING,
  SYNC,
  WHO_IS_ALIVE,
} from '../federation/membership/index.ts'
import { createOriginalMember } from '../federation/membership/testing/original-member.ts'
import { createOriginalRendezvous } from '../federation/membership/testing/original-rendezvous.ts'
import { makeSiteKeys } from '../federation/testing/keys.ts'
import { type SiteKeys, writePublicKey } from '../federation/trust/index.ts'
import {
  childNamed,
  childrenNamed,
  childText,
  type Element,
  element,
  type XmppComponent,
  XmppError,
} from '../federation/xmpp/index.ts'
import { createRendezvousBench } from './testing/rendezvous-bench.ts'

const R1 = 'rendezvous-1.test'
const R2 = 'rendezvous-2.test'
const A = 'ras-a.test'
const B = 'ras-b.test'
const unsigned = { unsigned: 'allowed' } as const
/** Self-signed, of nobody; valid until 2126. */
const CERTIFICATE =
  'MIIBTDCB/6ADAgECAhR1oPA8dk6wmZ3f0UWxO1fUXD6MOjAFBgMrZXAwGzEZMBcGA1UEAwwQbWFuYWdlci5vcmlnaW5hbDAgFw0yNjExMjIxMTAwMjVaGA8yMTI2MTAyOTExMDAyNVowGzEZMBcGA1UEAwwQbWFuYWdlci5vcmlnaW5hbDAqMAUGAytlcAMhADNYYTfgMDJJk1xFu3P7Si15Eg2kDrVBAIRVAM4VjK7ho1MwUTAdBgNVHQ4EFgQUgeV7bkQIcT1jEoC+GCh+TGnhkWMwHwYDVR0jBBgwFoAUgeV7bkQIcT1jEoC+GCh+TGnhkWMwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQBAQssqByxoes5Y6w1+9vUExvXKr5iva2clDPfMDSO4ECa9mxUr5F7MZ75OtM5P7wxw6wIvoryhwllpKq20rgQF'

const refused = (condition: string) => (error: unknown) =>
  error instanceof XmppError && error.condition === condition

function question(namespace: string, children: Element[] = []): Element[] {
  return [element('query', { xmlns: namespace }, children)]
}

const set = (fields: Record<string, string>, xmlns: string | undefined = PAGING) =>
  element(
    'set',
    { xmlns },
    Object.entries(fields).map(([name, text]) => element(name, {}, [text])),
  )

type Bench = ReturnType<typeof createRendezvousBench>

const ask = (bench: Bench, from: XmppComponent, to: string, children: Element[]) =>
  bench.settled(from.request(to, 'get', children, { timeoutMs: 1000 }))

const signedBeat = (from: string, to: string, keys: SiteKeys, now: number) =>
  question(I_AM_ALIVE, [element('heartbeat', { xmlns: OWN }, [makeHeartbeat(from, to, keys, now)])])

async function idsAt(bench: Bench, from: XmppComponent, to: string, fields = {}) {
  const query = childNamed(
    await ask(bench, from, to, question(WHO_IS_ALIVE, [set(fields)])),
    'query',
  )
  const items = childrenNamed(query as Element, 'item').map(({ attributes }) => attributes.id)
  const paging = childNamed(query as Element, 'set') as Element
  return { items, last: childText(paging, 'last'), count: childText(paging, 'count') }
}

test('sites that sign find each other, with a statement that each can check', async () => {
  const bench = createRendezvousBench()
  const { peer } = await bench.addRendezvous(R1)
  const a = await bench.addSite('a.test', { rendezvous: [peer] })
  const b = await bench.addSite('b.test', { rendezvous: [peer] })
  await bench.pass(31_000)
  assert.deepEqual(a.membership.members(), ['b.test'])
  assert.deepEqual(b.membership.members(), ['a.test'])
  const [known] = a.membership.view().members
  assert.deepEqual(known?.keys, b.keys.announced)
  assert.deepEqual([known?.sources[0]?.statement, known?.sources[0]?.met], ['verified', 'firstUse'])
  assert.equal(a.membership.view().sources[0]?.kind, 'own')
})

test('keys that a rendezvous states count elsewhere only if it may vouch for them', async () => {
  const bench = createRendezvousBench()
  const { peer } = await bench.addRendezvous(R1)
  const a = await bench.addSite('a.test', { rendezvous: [peer] })
  const b = await bench.addSite('b.test', { rendezvous: [{ ...peer, vouches: true }] })
  await bench.pass(61_000)
  assert.deepEqual(a.membership.statedKeys(), {})
  const stated = b.membership.statedKeys()
  assert.deepEqual(stated, { 'a.test': a.keys.announced })
  await bench.pass(61_000)
  assert.equal(b.membership.statedKeys(), stated, 'the same object while they are the same')
  await a.keys.announceNext()
  await bench.pass(61_000)
  assert.deepEqual(b.membership.statedKeys(), { 'a.test': a.keys.announced })
})

test('a statement that is altered, of another rendezvous, or about another admits nobody', async () => {
  const bench = createRendezvousBench()
  const { peer } = await bench.addRendezvous(R1)
  await bench.addSite('b.test', { rendezvous: [peer] })
  await bench.addSite('c.test', { rendezvous: [peer] })
  const wrongKey = { ...peer, keys: [writePublicKey(makeSiteKeys().signing)] }
  const a = await bench.addSite('a.test', { rendezvous: [wrongKey] })
  await bench.pass(31_000)
  assert.deepEqual(a.membership.members(), [])
  a.settings = { list: [], rendezvous: [peer] }
  a.membership.refresh()
  await bench.pass(1000)
  assert.deepEqual(a.membership.members(), ['b.test', 'c.test'])
  // Names change places on the way.
  bench.network.tamper = ({ iq }) => {
    const swapped = JSON.stringify(iq).replaceAll(/ras-([bc])\.test/g, (_, name) =>
      name === 'b' ? 'ras-c.test' : 'ras-b.test',
    )
    return JSON.parse(swapped)
  }
  await bench.pass(31_000)
  assert.deepEqual(a.membership.members(), [])
})

test('original members report to it and see each other, page by page', async () => {
  const bench = createRendezvousBench()
  await bench.addRendezvous(R1, { ...unsigned, periodMs: 45_000 })
  const [a, b] = [A, B].map((jid) => createOriginalMember(bench.attach(jid), R1))
  assert.equal(await bench.settled(a?.beat() ?? assert.fail()), 45_000)
  await bench.settled(b?.beat() ?? assert.fail())
  assert.deepEqual(await bench.settled(a?.list() ?? assert.fail()), [A, B])
  assert.deepEqual(await bench.settled(a?.list(1) ?? assert.fail()), [A])
  await bench.pass(3 * 45_000 - 1000)
  await bench.settled(a?.beat() ?? assert.fail())
  await bench.pass(2000)
  assert.deepEqual(await bench.settled(a?.list() ?? assert.fail()), [A], 'b was not heard of')
})

test('members of an original rendezvous and of ours see each other, in both directions', async () => {
  const bench = createRendezvousBench()
  const original = createOriginalRendezvous(bench.attach(R2), bench.time, {
    periodMs: 30_000,
    neighbours: [R1],
  })
  const { rendezvous } = await bench.addRendezvous(R1, { ...unsigned, neighbours: [R2] })
  const a = createOriginalMember(bench.attach(A), R1)
  const b = createOriginalMember(bench.attach(B), R2)
  await bench.settled(a.beat())
  await bench.settled(b.beat())
  await bench.settled(original.sync())
  await bench.pass(61_000)
  assert.deepEqual(rendezvous.members(), [A, B])
  assert.deepEqual(await bench.settled(b.list()), [A, B])
})

test('rendezvous of ours tell each other of members, and each states what it was told', async () => {
  const bench = createRendezvousBench()
  const one = await bench.addRendezvous(R1, { neighbours: [R2] })
  const two = await bench.addRendezvous(R2, { neighbours: [R1] })
  const a = await bench.addSite('a.test', { rendezvous: [one.peer] })
  const b = await bench.addSite('b.test', { rendezvous: [two.peer] })
  await bench.pass(150_000)
  assert.deepEqual([a.membership.members(), b.membership.members()], [['b.test'], ['a.test']])
  assert.equal(a.membership.view().members[0]?.sources[0]?.met, 'relayed')
  await b.membership.stop()
  await bench.pass(300_000)
  assert.deepEqual([one.rendezvous.members(), two.rendezvous.members()], [[A], [A]])
})

/** A neighbour that says what the test wants. */
async function lyingNeighbour(bench: Bench, managers: () => Element[]) {
  bench.attach(R2).serve('get', SYNC, async ({ payload }) => {
    const isFirst = !JSON.stringify(payload).includes('"after"')
    const held = element('managers', {}, [...(isFirst ? managers() : []), set({})])
    return [element('query', { xmlns: SYNC }, [held])]
  })
}

const manager = (id: string, timeout: string, quietFor: string, more: Element[] = []) =>
  element('manager', { id }, [
    element('status', {}, [
      element('timeout', {}, [timeout]),
      element('quiet-for', {}, [quietFor]),
    ]),
    ...more,
  ])

test('R1: a neighbour brings in nobody who is not listed, and no ages that cannot be', async () => {
  const bench = createRendezvousBench()
  await lyingNeighbour(bench, () => [
    manager('ras-stranger.test', '90000', '0'),
    manager('ras-1.test', '90000', '-5000'),
    manager('ras-2.test', '90000', 'NaN'),
    manager('ras-3.test', '-1', '0'),
    manager('ras-4.test', '90000', '99999999999999'),
    element('manager', { id: 'ras-5.test' }),
    manager(B, '9'.repeat(15), '1000'),
  ])
  const whiteList = { list: [B, ...[1, 2, 3, 4, 5].map((n) => `ras-${n}.test`)] }
  const one = await bench.addRendezvous(R1, { ...unsigned, neighbours: [R2], whiteList })
  await bench.pass(1000)
  assert.deepEqual(one.rendezvous.members(), [B])
  assert.deepEqual(one.rendezvous.counts().refusals, { 'not-listed': 1, implausible: 5 })
  await lyingNeighbour(bench, () => [])
  await bench.pass(1_800_000 + 61_000)
  assert.deepEqual(one.rendezvous.members(), [], 'the timeout was capped')
})

test('R1: a neighbour cannot keep a member with a key alive, nor give it another key', async () => {
  const bench = createRendezvousBench()
  const keys = makeSiteKeys()
  let proof = makeHeartbeat(A, R2, keys, bench.time.now())
  await lyingNeighbour(bench, () => [
    manager(A, '90000', '0', [element('heartbeat', { xmlns: OWN }, [proof])]),
  ])
  const one = await bench.addRendezvous(R1, { neighbours: [R2], syncEveryMs: 10_000 })
  await ask(bench, bench.attach(A), R1, signedBeat(A, R1, keys, bench.time.now()))
  await bench.pass(80_000)
  assert.deepEqual(one.rendezvous.members(), [A])
  await bench.pass(20_000)
  assert.deepEqual(one.rendezvous.members(), [], 'its own last word is too old')
  proof = makeHeartbeat(A, R2, makeSiteKeys(), bench.time.now())
  await bench.pass(20_000)
  assert.deepEqual(one.rendezvous.members(), [])
  assert.ok(one.rendezvous.counts().refusals['unknown-key'])
})

test('R2: a list of members that cannot be read at the start keeps everybody out', async () => {
  const bench = createRendezvousBench()
  const files: Record<string, string> = {}
  const read = async (path: string) => {
    const text = files[path]
    if (text === undefined) throw new Error('ENOENT')
    return text
  }
  const options = { ...unsigned, whiteList: { file: 'members' }, read }
  await assert.rejects(
    bench.addRendezvous(R1, options),
    (error) => error instanceof FogbowError && /members.*cannot be read/.test(error.message),
  )
  files.members = 'what is this?'
  await assert.rejects(bench.addRendezvous(R1, options), /is no JID/)
  files.members = ''
  await bench.addRendezvous(R1, options)
  const a = createOriginalMember(bench.attach(A), R1)
  await assert.rejects(bench.settled(a.beat()), refused('forbidden'))
})

test('R2: a change of the list counts at once, and a list that got lost changes nothing', async () => {
  const bench = createRendezvousBench()
  let text: string | undefined = `# ours\n${A}\n\n${B}  # new\n`
  const read = async () => text ?? assert.fail('ENOENT')
  const one = await bench.addRendezvous(R1, { ...unsigned, whiteList: { file: 'members' }, read })
  const [a, b] = [A, B].map((jid) => createOriginalMember(bench.attach(jid), R1))
  await bench.settled(a?.beat() ?? assert.fail())
  await bench.settled(b?.beat() ?? assert.fail())
  text = undefined
  await bench.pass(6000)
  assert.deepEqual(one.rendezvous.members(), [A, B])
  text = `${A}\n`
  await bench.pass(6000)
  assert.deepEqual(one.rendezvous.members(), [A])
  await assert.rejects(bench.settled(b?.list() ?? assert.fail()), refused('not-authorized'))
})

test('R3: lists are for members and neighbours alone', async () => {
  const bench = createRendezvousBench()
  await bench.addRendezvous(R1, { ...unsigned, neighbours: [R2] })
  const [stranger, a, neighbour] = ['ras-x.test', A, R2].map((jid) => bench.attach(jid))
  assert.ok(stranger && a && neighbour)
  await assert.rejects(idsAt(bench, stranger, R1), refused('not-authorized'))
  await bench.settled(createOriginalMember(a, R1).beat())
  assert.deepEqual((await idsAt(bench, a, R1)).items, [A])
  assert.deepEqual((await idsAt(bench, neighbour, R1)).items, [A])
  await assert.rejects(ask(bench, a, R1, question(SYNC)), refused('not-authorized'))
  const answer = await ask(bench, neighbour, R1, question(SYNC))
  assert.match(JSON.stringify(answer), /quiet-for/)
})

test('R4: a heartbeat has to be signed by the member, for this rendezvous, and be new', async () => {
  const bench = createRendezvousBench()
  const one = await bench.addRendezvous(R1)
  const keys = makeSiteKeys()
  const a = bench.attach(A)
  const now = () => bench.time.now()
  const first = signedBeat(A, R1, keys, now())
  await ask(bench, a, R1, first)
  const foul = {
    replayed: () => first,
    unsigned: () => question(I_AM_ALIVE),
    'unknown-key': () => signedBeat(A, R1, makeSiteKeys(), now()),
    'foreign-audience': () => signedBeat(A, R2, keys, now()),
    'foreign-issuer': () => signedBeat(B, R1, keys, now()),
    expired: () => signedBeat(A, R1, keys, now() - 200_000),
    'not-yet-valid': () => signedBeat(A, R1, keys, now() + 200_000),
  }
  for (const [reason, beat] of Object.entries(foul)) {
    await bench.pass(100)
    await assert.rejects(ask(bench, a, R1, beat()), refused('forbidden'), reason)
    assert.equal(one.rendezvous.counts().refusals[reason], 1, reason)
  }
  await ask(bench, a, R1, signedBeat(A, R1, keys, now()))
  assert.equal(one.rendezvous.counts().heartbeats, 2)
})

test('R4: a key from the configuration counts, and no other is taken in its place', async () => {
  const bench = createRendezvousBench()
  const keys = makeSiteKeys()
  const pinned = { [A]: [writePublicKey(keys.signing)] }
  for (const newKeys of ['pinned', 'announced', 'firstUse'] as const) {
    await bench.addRendezvous(R1, { keys: pinned, newKeys })
    const a = bench.attach(A)
    const others = signedBeat(A, R1, makeSiteKeys(), bench.time.now())
    await assert.rejects(ask(bench, a, R1, others), refused('forbidden'), newKeys)
    await ask(bench, a, R1, signedBeat(A, R1, keys, bench.time.now()))
    const stranger = signedBeat(B, R1, makeSiteKeys(), bench.time.now())
    const met = ask(bench, bench.attach(B), R1, stranger)
    if (newKeys === 'firstUse') await met
    else await assert.rejects(met, refused('forbidden'), newKeys)
  }
})

test('a key that is announced under a known one takes its place, also after a restart', async () => {
  const bench = createRendezvousBench()
  const one = await bench.addRendezvous(R1)
  const keys = makeSiteKeys()
  const a = bench.attach(A)
  const beat = async () => {
    await bench.pass(100)
    await ask(bench, a, R1, signedBeat(A, R1, keys, bench.time.now()))
  }
  await beat()
  await keys.announceNext()
  await beat()
  await keys.takeNext()
  await one.restart()
  await beat()
  await keys.dropFormer()
  await beat()
  assert.equal(one.rendezvous.counts().heartbeats, 2)
})

test('R5: a certificate is read and bounded, and stays the same', async () => {
  const bench = createRendezvousBench()
  await bench.addRendezvous(R1, unsigned)
  const a = createOriginalMember(bench.attach(A), R1)
  for (const foul of ['x'.repeat(9000), 'no certificate', CERTIFICATE.slice(0, 200), '<&>'])
    await assert.rejects(bench.settled(a.beat(foul)), refused('bad-request'))
  await bench.settled(a.beat(CERTIFICATE))
  const other = makeSiteKeys().announced.join(' ')
  await assert.rejects(bench.settled(a.beat(other)), refused('forbidden'))
  await assert.rejects(bench.settled(a.beat()), refused('forbidden'))
  await bench.settled(a.beat(CERTIFICATE))
  const b = createOriginalMember(bench.attach(B), R1)
  await bench.settled(b.beat(other))
  await assert.rejects(bench.settled(b.beat(CERTIFICATE)), refused('forbidden'))
})

test('R6: who is turned away is told so, and why', async () => {
  const bench = createRendezvousBench()
  const one = await bench.addRendezvous(R1, { ...unsigned, whiteList: { list: [A] } })
  const b = createOriginalMember(bench.attach(B), R1)
  await assert.rejects(
    bench.settled(b.beat()),
    (error) =>
      error instanceof XmppError &&
      error.condition === 'forbidden' &&
      error.text.includes('not on the list'),
  )
  const site = await bench.addSite('b.test', { rendezvous: [one.peer] })
  await bench.pass(1000)
  assert.match(site.membership.view().sources[0]?.problem ?? '', /forbidden.*not on the list/)
})

test('R7: pages are as XEP-0059 has them, and as the original asks for them', async () => {
  const bench = createRendezvousBench()
  await bench.addRendezvous(R1, { ...unsigned, pageLimit: 3 })
  const names = ['a', 'b', 'c', 'd', 'e'].map((name) => `ras-${name}.test`)
  for (const name of names) await bench.settled(createOriginalMember(bench.attach(name), R1).beat())
  const from = bench.attach(A)
  const page = (fields: Record<string, string>) => idsAt(bench, from, R1, fields)
  assert.deepEqual(await page({}), { items: names.slice(0, 3), last: names[2], count: '5' })
  assert.deepEqual((await page({ max: '' })).items, names.slice(0, 3))
  assert.deepEqual((await page({ max: '99', after: names[2] ?? '' })).items, names.slice(3))
  assert.deepEqual(await page({ max: '0' }), { items: [], last: undefined, count: '5' })
  assert.deepEqual((await page({ max: '2', before: '' })).items, names.slice(3))
  assert.deepEqual((await page({ max: '2', before: names[3] ?? '' })).items, names.slice(1, 3))
  assert.deepEqual((await page({ after: names[4] ?? '' })).items, [])
  await assert.rejects(page({ after: 'ras-gone.test' }), refused('item-not-found'))
  await assert.rejects(page({ max: '-1' }), refused('bad-request'))
  const plain = question(WHO_IS_ALIVE, [set({ max: '1' }, undefined)])
  assert.equal(JSON.stringify(await ask(bench, from, R1, plain)).match(/"id":"ras-/g)?.length, 1)
})

test('R7: of a neighbour with many members all are taken over', async () => {
  const bench = createRendezvousBench()
  createOriginalRendezvous(bench.attach(R2), bench.time, { pageLimit: 10, periodMs: 30_000 })
  for (let n = 0; n < 45; n += 1)
    await bench.settled(createOriginalMember(bench.attach(`ras-m${n}.test`), R2).beat())
  const one = await bench.addRendezvous(R1, { ...unsigned, neighbours: [R2] })
  await bench.pass(1000)
  assert.equal(one.rendezvous.members().length, 45)
})

test('a full page of long names and statements fits into a stanza, and all of the list is read', async () => {
  const bench = createRendezvousBench()
  const one = await bench.addRendezvous(R1)
  const name = (n: number) => `ras-${String(n).padStart(3, '0')}${'-long'.repeat(45)}.test`
  for (let n = 0; n < 120; n += 1)
    await ask(
      bench,
      bench.attach(name(n)),
      R1,
      signedBeat(name(n), R1, makeSiteKeys(), bench.time.now()),
    )
  const site = await bench.addSite('a.test', { rendezvous: [one.peer] })
  await bench.pass(1000)
  assert.equal(site.membership.members().length, 120)
  const plain = await idsAt(bench, site.component, R1, { max: '100' })
  assert.equal(plain.items.length, 100, 'who cannot know that a page may be short gets a whole one')
})

test('R8: a restart forgets neither members nor keys, and nobody is dropped meanwhile', async () => {
  const bench = createRendezvousBench()
  const one = await bench.addRendezvous(R1)
  const a = await bench.addSite('a.test', { rendezvous: [one.peer] })
  const b = await bench.addSite('b.test', { rendezvous: [one.peer] })
  await bench.pass(65_000)
  await one.restart(10_000)
  assert.deepEqual(one.rendezvous.members(), [A, B])
  await one.restart(600_000)
  assert.deepEqual(a.membership.members(), ['b.test'])
  const forged = signedBeat(B, R1, makeSiteKeys(), bench.time.now())
  await assert.rejects(ask(bench, b.component, R1, forged), refused('forbidden'))
  await bench.pass(31_000)
  assert.deepEqual(a.membership.members(), ['b.test'])
  await b.membership.stop()
  await bench.pass(200_000)
  assert.deepEqual(a.membership.members(), [], 'a settled list that lacks a member ends it')
})

test('R8: a state that is damaged is never replaced by an empty one', async () => {
  const bench = createRendezvousBench()
  const one = await bench.addRendezvous(R1)
  await one.rendezvous.stop()
  for (const damaged of ['{', '{"version":7}', '[]']) {
    one.state.content = damaged
    await assert.rejects(one.start(), /State of the rendezvous/)
  }
})

test('R9: who lives is the sender of the stanza, whatever the payload says', async () => {
  const bench = createRendezvousBench()
  const one = await bench.addRendezvous(R1, unsigned)
  const named = question(I_AM_ALIVE, [
    element('id', {}, [B]),
    element('item', { id: B }),
    element('status', {}, [element('timeout', {}, ['999999999'])]),
  ])
  await ask(bench, bench.attach(A), R1, named)
  assert.deepEqual(one.rendezvous.members(), [A])
  const stolen = signedBeat(B, R1, makeSiteKeys(), bench.time.now())
  await assert.rejects(ask(bench, bench.attach(A), R1, stolen), refused('forbidden'))
  assert.deepEqual(one.rendezvous.members(), [A])
})

test('R10: neither the state nor the log nor any answer holds a secret', async () => {
  const bench = createRendezvousBench()
  const one = await bench.addRendezvous(R1)
  const a = await bench.addSite('a.test', { rendezvous: [one.peer] })
  await bench.pass(61_000)
  await one.rendezvous.stop()
  const told = [one.state.content, ...bench.logged, JSON.stringify(bench.network.carried)].join()
  for (const { signing, encryption } of [one.keys, a.keys])
    for (const { privateKey } of [signing, encryption])
      assert.ok(!told.includes(String(privateKey.export({ format: 'jwk' }).d)))
})

test('no more members than allowed are kept, whoever tells of them', async () => {
  const bench = createRendezvousBench()
  await lyingNeighbour(bench, () =>
    ['x', 'y', 'z'].map((name) => manager(`ras-${name}.test`, '90000', '0')),
  )
  const one = await bench.addRendezvous(R1, { ...unsigned, maxMembers: 2, neighbours: [R2] })
  await bench.pass(1000)
  assert.equal(one.rendezvous.members().length, 2)
  const a = createOriginalMember(bench.attach(A), R1)
  await assert.rejects(bench.settled(a.beat()), refused('resource-constraint'))
})
