import assert from 'node:assert/strict'
import { test } from 'node:test'
import { element, StanzaError } from '../xmpp/index.ts'
import { OWN, PAGING, WHO_IS_ALIVE } from './protocol.ts'
import { createBench } from './testing/bench.ts'
import { createOriginalMember } from './testing/original-member.ts'
import { createOriginalRendezvous } from './testing/original-rendezvous.ts'

const JID = 'rendezvous.test'
const listed = { jid: JID, admits: 'listed' } as const

test('without a rendezvous members are those of the configuration, and no timer runs', async () => {
  const bench = createBench()
  const { membership } = await bench.addSite('a.test', { list: ['b.test', 'a.test', 'c.test'] })
  assert.deepEqual(membership.members(), ['b.test', 'c.test'])
  assert.deepEqual(
    membership.view().members.map(({ id, sources }) => [id, sources[0]?.source]),
    [
      ['b.test', 'configuration'],
      ['c.test', 'configuration'],
    ],
  )
  await bench.pass(3_600_000)
  assert.equal(bench.network.carried.length, 0)
})

test('sites find each other at an original rendezvous, and tell who listens', async () => {
  const bench = createBench()
  createOriginalRendezvous(bench.attach(JID), bench.time, { periodMs: 30_000 })
  const a = await bench.addSite('a.test', { list: ['z.test'], rendezvous: [listed] })
  const b = await bench.addSite('b.test', { rendezvous: [listed] })
  let changes = 0
  a.membership.onChange(() => {
    changes += 1
  })
  await bench.pass(31_000)
  assert.deepEqual(a.membership.members(), ['z.test', 'b.test'])
  assert.deepEqual(b.membership.members(), ['a.test'])
  assert.equal(changes, 1)
  const view = a.membership.view()
  const source = view.members.find(({ id }) => id === 'b.test')?.sources[0]
  assert.deepEqual([source?.source, source?.statement], [JID, 'none'])
  assert.equal(view.sources[0]?.kind, 'original')
  assert.equal(view.sources[0]?.problem, undefined)
})

test('who is listed by a rendezvous whose word cannot be checked is shown, and is no member', async () => {
  const bench = createBench()
  createOriginalRendezvous(bench.attach(JID), bench.time)
  const a = await bench.addSite('a.test', { rendezvous: [{ jid: JID }] })
  await bench.addSite('b.test', { rendezvous: [{ jid: JID }] })
  await bench.pass(31_000)
  assert.deepEqual(a.membership.members(), [])
  assert.deepEqual(
    a.membership.view().members.map(({ id, isMember }) => [id, isMember]),
    [['b.test', false]],
  )
})

test('R7: of a list with more members than a page all are read, though count is that of the page', async () => {
  const bench = createBench()
  const rendezvous = bench.attach(JID)
  createOriginalRendezvous(rendezvous, bench.time, { pageLimit: 7 })
  for (let n = 0; n < 35; n += 1)
    await beatOnce(bench, createOriginalMember(bench.attach(`ras-m${n}.test`), JID))
  const a = await bench.addSite('a.test', { rendezvous: [listed] })
  await bench.pass(1000)
  assert.equal(a.membership.members().length, 35)
})

test('a list is read anew from its beginning when the member to go on from expires meanwhile', async () => {
  const bench = createBench()
  const rendezvous = bench.attach(JID)
  const original = createOriginalRendezvous(rendezvous, bench.time, { pageLimit: 2 })
  for (const name of ['b', 'c', 'd', 'e'])
    await beatOnce(bench, createOriginalMember(bench.attach(`ras-${name}.test`), JID))
  let pages = 0
  bench.network.tamper = ({ iq, to, kind }) => {
    const isSecond = kind === 'request' && to === JID && JSON.stringify(iq).includes('whoisalive')
    if (isSecond && ++pages === 2) (original.known as Map<string, unknown>).delete('ras-b.test')
    return iq
  }
  const a = await bench.addSite('a.test', { rendezvous: [listed] })
  await bench.pass(1000)
  assert.deepEqual(a.membership.members(), ['c.test', 'd.test', 'e.test'])
  assert.ok(pages > 3)
})

test('a period that is absent means 30 seconds, another one is kept to', async () => {
  const bench = createBench()
  createOriginalRendezvous(bench.attach(JID), bench.time)
  createOriginalRendezvous(bench.attach('quick.test'), bench.time, { periodMs: 5000 })
  await bench.addSite('a.test', { rendezvous: [{ jid: JID }, { jid: 'quick.test' }] })
  await bench.pass(60_000)
  const beats = (to: string) =>
    bench.network.carried.filter(
      (stanza) => stanza.to === to && JSON.stringify(stanza.iq).includes('iamalive'),
    ).length
  assert.equal(beats(JID), 3)
  assert.ok(beats('quick.test') >= 12 && beats('quick.test') <= 14, String(beats('quick.test')))
})

test('nobody is dropped because a rendezvous is silent, and its silence is shown', async () => {
  const bench = createBench()
  createOriginalRendezvous(bench.attach(JID), bench.time, { periodMs: 30_000 })
  const a = await bench.addSite('a.test', { rendezvous: [listed] })
  await bench.addSite('b.test', { rendezvous: [listed] })
  await bench.pass(31_000)
  bench.network.fate = () => ({ arrivals: [] })
  const listedAt = a.membership.view().sources[0]?.listedAt
  await bench.pass(7_200_000)
  assert.deepEqual(a.membership.members(), ['b.test'])
  const [source] = a.membership.view().sources
  assert.match(source?.problem ?? '', /did not answer/)
  assert.ok((source?.listedAt ?? 0) - (listedAt ?? 0) <= 31_000)
  await a.restart()
  await bench.pass(1000)
  assert.deepEqual(a.membership.members(), ['b.test'], 'a restart forgets nobody either')
})

test('a list that is no list, repeats itself or is refused changes nothing', async () => {
  const bench = createBench()
  const rendezvous = bench.attach(JID)
  createOriginalRendezvous(rendezvous, bench.time, { periodMs: 30_000 })
  const a = await bench.addSite('a.test', { rendezvous: [listed] })
  await bench.addSite('b.test', { rendezvous: [listed] })
  await bench.pass(31_000)
  const item = element('item', { id: 'ras-x.test' })
  const set = element('set', { xmlns: PAGING }, [element('last', {}, ['ras-x.test'])])
  const answers = [
    () => [],
    () => [element('query', { xmlns: 'urn:other' }, [item])],
    () => [element('query', { xmlns: WHO_IS_ALIVE }, [element('item'), set])],
    () => [element('query', { xmlns: WHO_IS_ALIVE }, [item, set])],
    () => {
      throw new StanzaError('service-unavailable', 'away')
    },
  ]
  for (const answer of answers) {
    rendezvous.serve('get', WHO_IS_ALIVE, async () => answer())
    await bench.pass(31_000)
    assert.deepEqual(a.membership.members(), ['b.test'])
    assert.ok(a.membership.view().sources[0]?.problem)
  }
})

test('a rendezvous that forgot everybody in a restart does not empty the list', async () => {
  const bench = createBench()
  const original = createOriginalRendezvous(bench.attach(JID), bench.time, { periodMs: 30_000 })
  const a = await bench.addSite('a.test', { rendezvous: [listed] })
  const b = createOriginalMember(bench.attach('ras-b.test'), JID)
  await beatOnce(bench, b)
  await bench.pass(31_000)
  original.restart()
  await bench.pass(31_000)
  assert.deepEqual(a.membership.members(), ['b.test'])
  assert.ok(a.membership.view().members[0]?.sources[0]?.missingSince)
  await beatOnce(bench, b)
  await bench.pass(31_000)
  assert.equal(a.membership.view().members[0]?.sources[0]?.missingSince, undefined)
  await bench.pass(900_000)
  assert.deepEqual(a.membership.members(), [], 'who stays away is gone in the end')
})

test('R8: with two rendezvous the end of one is not noticed', async () => {
  const bench = createBench()
  const both = [listed, { jid: 'other.test', admits: 'listed' as const }]
  createOriginalRendezvous(bench.attach(JID), bench.time, { periodMs: 30_000 })
  createOriginalRendezvous(bench.attach('other.test'), bench.time, { periodMs: 30_000 })
  const a = await bench.addSite('a.test', { rendezvous: both })
  await bench.addSite('b.test', { rendezvous: both })
  bench.network.fate = ({ to, from }) => ({ arrivals: [to, from].includes(JID) ? [] : [1] })
  await bench.addSite('c.test', { rendezvous: both })
  await bench.pass(120_000)
  assert.deepEqual(a.membership.members().toSorted(), ['b.test', 'c.test'])
})

test('names that no site can have are counted and do no harm', async () => {
  const bench = createBench()
  createOriginalRendezvous(bench.attach(JID), bench.time, { periodMs: 30_000 })
  const a = await bench.addSite('a.test', { rendezvous: [listed] })
  for (const jid of ['manager.old.test', `ras-${'x'.repeat(300)}`, 'RAS-UPPER.test', 'ras-b.test'])
    await beatOnce(bench, createOriginalMember(bench.attach(jid), JID))
  await bench.pass(31_000)
  assert.deepEqual(a.membership.members(), ['b.test'])
  assert.equal(a.membership.view().sources[0]?.strangers, 3)
})

test('a rendezvous that comes or goes with the configuration is asked from then on, or no longer', async () => {
  const bench = createBench()
  createOriginalRendezvous(bench.attach(JID), bench.time, { periodMs: 30_000 })
  const a = await bench.addSite('a.test', {})
  await bench.addSite('b.test', { rendezvous: [listed] })
  a.settings = { list: [], rendezvous: [listed] }
  a.membership.refresh()
  await bench.pass(31_000)
  assert.deepEqual(a.membership.members(), ['b.test'])
  a.settings = { list: [], rendezvous: [{ ...listed, admits: 'nobody' }] }
  a.membership.refresh()
  assert.deepEqual(a.membership.members(), [])
  assert.equal(a.membership.view().members.length, 1, 'it is still shown')
  a.settings = { list: [], rendezvous: [] }
  a.membership.refresh()
  assert.equal(a.membership.view().members.length, 0)
  const before = bench.network.carried.filter(({ from }) => from === 'ras-a.test').length
  await bench.pass(120_000)
  assert.equal(bench.network.carried.filter(({ from }) => from === 'ras-a.test').length, before)
})

test('R10: what goes to a rendezvous is signed and holds nothing secret', async () => {
  const bench = createBench()
  createOriginalRendezvous(bench.attach(JID), bench.time)
  const { keys } = await bench.addSite('a.test', { rendezvous: [listed] })
  await bench.pass(1000)
  const sent = JSON.stringify(bench.network.carried)
  for (const { privateKey } of [keys.signing, keys.encryption])
    assert.ok(!sent.includes(String(privateKey.export({ format: 'jwk' }).d)))
  assert.ok(sent.includes(OWN))
})

async function beatOnce(
  bench: ReturnType<typeof createBench>,
  member: ReturnType<typeof createOriginalMember>,
): Promise<void> {
  const beat = member.beat()
  await bench.pass(10)
  await beat
}
