import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  I_AM_ALIVE,
  makeHeartbeat,
  OWN,
  SYNC,
  WHO_IS_ALIVE,
} from '../federation/membership/index.ts'
import { makeSiteKeys } from '../federation/testing/keys.ts'
import { element, serialise, XmppError } from '../federation/xmpp/index.ts'
import { createRendezvousBench } from './testing/rendezvous-bench.ts'

const JID = 'rendezvous.test'
const ROUNDS = 1500

/** The same numbers at each run. */
function chance(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % below
  }
}

test('whatever is asked, nobody is let in by it, and it is no defect that answers', async () => {
  const bench = createRendezvousBench()
  const one = await bench.addRendezvous(JID, { neighbours: ['n.test'] })
  const keys = makeSiteKeys()
  const pick = chance(7)
  const mutate = (text: string) => {
    const at = pick(text.length)
    const piece = ['', '.', '=', '{', '\u{fe}', 'e30', 'x'.repeat(5000)][pick(7)] ?? ''
    return text.slice(0, at) + piece + text.slice(at + 1 + pick(4))
  }
  const deep = () => `${'['.repeat(900)}${']'.repeat(900)}`
  const texts = [
    () => mutate(makeHeartbeat('ras-a.test', JID, keys, bench.time.now())),
    () => makeHeartbeat('ras-a.test', JID, makeSiteKeys(), Number.NaN),
    () => `${Buffer.from(deep()).toString('base64url')}.e30.${'A'.repeat(86)}`,
    () => '-1',
    () => '1e9',
    () => '__proto__',
  ]
  const names = [
    'heartbeat',
    'cert',
    'set',
    'max',
    'after',
    'before',
    'index',
    'managers',
    'extended',
  ]
  const node = (depth: number): ReturnType<typeof element> =>
    element(names[pick(names.length)] ?? '', pick(2) ? { xmlns: OWN } : {}, [
      ...(depth > 0 && pick(2) ? [node(depth - 1)] : []),
      ...(pick(3) ? [texts[pick(texts.length)]?.() ?? ''] : []),
    ])
  const senders = ['ras-a.test', 'n.test', 'x'.repeat(300), '__proto__', 'user@host.test/r'].map(
    (jid) => bench.attach(jid),
  )
  const conditions = new Set<string>()
  for (let round = 0; round < ROUNDS; round += 1) {
    const namespace = [I_AM_ALIVE, WHO_IS_ALIVE, SYNC][pick(3)] ?? ''
    const children = Array.from({ length: pick(4) }, () => node(3))
    const question = element('query', { xmlns: namespace }, children)
    if (!/^[\x20-\x7e]{0,40000}$/.test(serialise(question))) continue
    const from = senders[pick(senders.length)] ?? assert.fail()
    try {
      await bench.settled(from.request(JID, 'get', [question], { timeoutMs: 1000 }))
      assert.notEqual(namespace, I_AM_ALIVE, serialise(question))
    } catch (error) {
      if (!(error instanceof XmppError)) throw error
      assert.notEqual(error.condition, 'internal-server-error', serialise(question))
      conditions.add(error.condition)
    }
  }
  assert.deepEqual(one.rendezvous.members(), [])
  assert.ok(conditions.size >= 4, [...conditions].join())
})
