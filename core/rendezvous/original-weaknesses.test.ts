import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import {
  I_AM_ALIVE,
  makeHeartbeat,
  OWN,
  SYNC,
  WHO_IS_ALIVE,
} from '../federation/membership/index.ts'
import { createOriginalMember } from '../federation/membership/testing/original-member.ts'
import { createOriginalRendezvous } from '../federation/membership/testing/original-rendezvous.ts'
import { makeSiteKeys } from '../federation/testing/keys.ts'
import { writePublicKey } from '../federation/trust/index.ts'
import { type Element, element, XmppError } from '../federation/xmpp/index.ts'
import {
  A,
  ask,
  B,
  type Bench,
  CERTIFICATE,
  idsAt,
  question,
  R1,
  R2,
  refused,
  set,
  signedBeat,
  unsigned,
} from './testing/questions.ts'
import { createRendezvousBench } from './testing/rendezvous-bench.ts'

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
