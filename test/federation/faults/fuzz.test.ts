import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { makeSiteKeys } from '../../../core/federation/testing/keys.ts'
import { writePublicKey } from '../../../core/federation/trust/index.ts'
import {
  attribute,
  type FakeStream,
  SECRET,
  startFakeServer,
} from '../../../core/federation/xmpp/testing/fake-server.ts'
import { SiteProcess } from '../../system/support/site-process.ts'
import { createChance, pick } from '../sites/chance.ts'
import { siteConfig } from '../sites/site-config.ts'
import { mutations } from './mutations.ts'
import { asking, iq, openRogue, type Rogue, volumeOf } from './rogue.ts'

const ROUNDS = 12_000
const AT_ONCE = 20
const WARMED_UP_AFTER = 4000
const SEED = Number(process.env.FOGBOW_SEED ?? 20261122)
/** The heap breathes; what is lost with each stanza would be more. */
const MOST_GROWTH_BYTES = 48 * 1024 * 1024
/** A stanza that kept the loop for longer would be a way to stop the site; a busy machine stays well below. */
const LONGEST_SILENCE_MS = 5000

const TARGET = 'a.site-a.test'
const MEMBER = 'd.site-d.test'
const to = `ras-${TARGET}`
const from = `ras-${MEMBER}`

/** A running site, of whose XMPP server the test takes the place, so that nothing is between them. */
async function startSite(t: TestContext) {
  const keys = makeSiteKeys()
  const server = await startFakeServer()
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-fuzz-'))
  mkdirSync(join(folder, 'federation'))
  mkdirSync(join(folder, 'data/keys'), { recursive: true })
  writeFileSync(join(folder, 'data/keys/secret'), SECRET)
  writeFileSync(
    join(folder, 'federation/sections.ts'),
    `export const members = { list: ['${MEMBER}'] }
export const federation = { xmpp: { host: '127.0.0.1', secret: 'file:{dataDir}/keys/secret' } }`,
  )
  const announced = [writePublicKey(keys.signing), writePublicKey(keys.encryption)]
  const member = { siteId: MEMBER, keys: announced }
  const config = siteConfig(TARGET, [member], server.port, {})
  const stream = server.stream()
  const site = await SiteProcess.start({ folder, config })
  const rogue = await openRogue({ id: MEMBER, to: TARGET, keys })
  t.after(async () => {
    await site.kill()
    await server.close()
    await rogue.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { server, site, rogue, folder, stream: await stream }
}

/** One of each kind of thing that members say, all of which were heard once: what is heard again has no effect. */
function stanzasOf(rogue: Rogue): string[] {
  const { params, user } = volumeOf('11111111-0000-4000-8000-000000000001', MEMBER)
  const deleted = volumeOf('22222222-0000-4000-8000-000000000002', MEMBER)
  const say = (type: 'get' | 'set', method: string, about: object, by?: object) =>
    iq({ from, to, type }, asking(rogue.request(method, about, by ? { user: by } : {})))
  const listed = { kind: 'volume', orderId: deleted.params.orderId }
  return [
    say('set', 'createOrder', params, user),
    say('set', 'createOrder', deleted.params, user),
    say('set', 'deleteOrder', listed, user),
    say('get', 'getOrder', { ...listed, orderId: params.orderId }, user),
    say('get', 'getInstance', { ...listed, orderId: params.orderId }, user),
    say('get', ':ping', {}),
    say('get', ':status', { id: 'x'.repeat(20), hash: 'y', expiresAt: Date.now() }),
    say('get', 'listImages', { cloudName: 'emulated' }, user),
    say('set', 'orderChanged', { orderId: params.orderId, generation: 1, state: 'CLOSED' }),
    iq({ from, to, type: 'get' }, `<query xmlns='http://jabber.org/protocol/disco#info'/>`),
    iq({ from, to, type: 'get' }, `<piece xmlns='urn:fogbow:federation:1' of='x' number='0'/>`),
  ]
}

test(`of ${ROUNDS} mutated stanzas none has an effect, holds up the site or makes it grow`, async (t) => {
  t.diagnostic(`seed ${SEED}`)
  const { server, site, rogue, folder, stream: first } = await startSite(t)
  const stanzas = stanzasOf(rogue)
  let stream = first
  for (const stanza of stanzas) {
    stream.write(stanza)
    const id = attribute(stanza, 'id')
    for (let answer = ''; attribute(answer, 'id') !== id; ) answer = await stream.next()
  }
  const metrics = async () => String((await site.client().get('/metrics')).body)
  await untilMatches(metrics, /fogbow_orders\{kind="volume",state="FULFILLED"\} 1/)
  await untilMatches(metrics, /fogbow_orders\{kind="volume",state="CLOSED"\} 1/)
  const bytes = async () =>
    Number(/fogbow_process_resident_bytes (\d+)/.exec(await metrics())?.[1] ?? Number.NaN)

  const chance = createChance(SEED)
  const kinds = Object.entries(mutations)
  let longestSilence = 0
  let warm = Number.NaN
  for (let round = 0; round < ROUNDS; round += AT_ONCE) {
    for (let n = 0; n < AT_ONCE; n += 1) {
      const [, mutate] = pick(kinds, chance)
      stream.write(mutate(pick(stanzas, chance), chance))
    }
    const sentAt = performance.now()
    const [answered, { status }] = await Promise.all([
      answers(stream, `probe-${round}`),
      site.client().get('/healthz'),
    ])
    longestSilence = Math.max(longestSilence, performance.now() - sentAt)
    assert.equal(status, 200)
    if (!answered) stream = await server.stream()
    if (round === WARMED_UP_AFTER) warm = await bytes()
  }
  const growth = (await bytes()) - warm
  t.diagnostic(`longest silence ${longestSilence.toFixed(0)} ms, growth ${growth} bytes`)
  assert.ok(longestSilence < LONGEST_SILENCE_MS, `silent for ${longestSilence} ms`)
  assert.ok(growth < MOST_GROWTH_BYTES, `grew by ${growth} bytes`)

  const text = await metrics()
  for (const reason of ['malformed', 'bad-signature', 'unknown-key', 'replayed'])
    assert.match(text, new RegExp(`reason="${reason}"\\} [1-9]\\d`), reason)
  for (const event of ['refused', 'unknown', 'malformed'])
    assert.match(text, new RegExp(`event="${event}"\\} [1-9]\\d`), event)
  assert.match(text, /fogbow_federation_stanzas_total\{event="handlerErrors"\} 0/)
  assert.equal(await site.end(), 0)
  assert.deepEqual(ordersIn(folder), [
    { id: '11111111-0000-4000-8000-000000000001', state: 'FULFILLED' },
    { id: '22222222-0000-4000-8000-000000000002', state: 'CLOSED' },
  ])
})

function ordersIn(folder: string): { id: string; state: string }[] {
  const database = new DatabaseSync(join(folder, 'data/site.db'), { readOnly: true })
  const rows = database.prepare('SELECT id, state FROM orders ORDER BY id').all()
  database.close()
  return rows.map(({ id, state }) => ({ id: String(id), state: String(state) }))
}

async function untilMatches(read: () => Promise<string>, pattern: RegExp): Promise<void> {
  const giveUpAt = performance.now() + 60_000
  for (let text = await read(); !pattern.test(text); text = await read()) {
    if (performance.now() > giveUpAt) assert.fail(`${pattern} does not match ${text}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Whether the site answers on this stream, which it has ended if something was not XML. */
async function answers(stream: FakeStream, id: string): Promise<boolean> {
  const probe = `<iq type='get' id='${id}' from='probe.test'><ping xmlns='urn:xmpp:ping'/></iq>`
  const closed = stream.closed.then(() => undefined)
  stream.write(probe)
  const giveUp = setTimeout(() => stream.socket.destroy(), LONGEST_SILENCE_MS)
  try {
    for (;;) {
      const stanza = await Promise.race([stream.next(), closed])
      if (stanza === undefined) return false
      if (attribute(stanza, 'id') === id) return true
    }
  } finally {
    clearTimeout(giveUp)
  }
}
