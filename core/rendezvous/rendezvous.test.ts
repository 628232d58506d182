import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOriginalMember } from '../federation/membership/testing/original-member.ts'
import { createOriginalRendezvous } from '../federation/membership/testing/original-rendezvous.ts'
import { makeSiteKeys } from '../federation/testing/keys.ts'
import { writePublicKey } from '../federation/trust/index.ts'
import { A, ask, B, idsAt, R1, R2, signedBeat, unsigned } from './testing/questions.ts'
import { createRendezvousBench } from './testing/rendezvous-bench.ts'

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
