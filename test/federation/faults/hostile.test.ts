import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { makeSiteKeys } from '../../../core/federation/testing/keys.ts'
import type { SiteKeys } from '../../../core/federation/trust/index.ts'
import { differences, readBooks } from '../sites/books.ts'
import type { FederatedSite } from '../sites/federated-site.ts'
import {
  COMPONENT_PORT,
  type Federation,
  type Guest,
  jidOf,
  startFederation,
} from '../sites/federation-sites.ts'
import { readMetrics, refusalsOf } from '../sites/metrics.ts'
import { stopAtOnce, untilSettled } from '../sites/settle.ts'
import { openRawComponent, type RawComponent } from './raw-component.ts'
import {
  asking,
  iq,
  keysIn,
  openRogue,
  type Rogue,
  type RogueOptions,
  secretIn,
  volumeOf,
} from './rogue.ts'
import { eventually, openTrade, type Trade } from './trade.ts'

/**
 * A member that does whatever it likes, with its keys and a server of its own, and a stranger at the very server of the
 * site that they attack; an honest member trades with that site all the time.
 */
let federation: Federation
let trade: Trade
let target: FederatedSite
let honest: FederatedSite
let guest: Guest
let keys: SiteKeys
let ofMember: RawComponent
let ofStranger: RawComponent
const rogues: Rogue[] = []

/** Stanzas of each attacker that are under way; more than a site serves of one peer at a time. */
const IN_FLIGHT = 400
const STRANGER = 'rogue.site-a.test'
const STRANGERS_SECRET = 'of the stranger'
const MEMBER = 'd.site-d.test'

before(async () => {
  federation = await startFederation({
    sites: [
      { id: 'a.site-a.test', kind: 'prosody' },
      { id: 'e.site-e.test', kind: 'ejabberd' },
    ],
    guests: [MEMBER],
    prosody: (siteId) =>
      siteId === 'a.site-a.test'
        ? `\nComponent "${STRANGER}"\n  component_secret = "${STRANGERS_SECRET}"\n`
        : '',
    settings: { emulated: { quota: { volumes: -1, storage: -1 } } },
  })
  ;[target, honest] = federation.sites as [FederatedSite, FederatedSite]
  ;[guest] = federation.guests as [Guest]
  trade = openTrade(federation)
  keys = await keysIn(guest.setUp.dataDir)
  ofMember = await connect()
  ofStranger = await openRawComponent({
    host: target.server.address,
    port: COMPONENT_PORT,
    jid: STRANGER,
    secret: STRANGERS_SECRET,
  })
})
after(async () => {
  ofMember?.close()
  ofStranger?.close()
  await Promise.all(rogues.map((rogue) => rogue.close()))
  await federation?.stop()
})

function connect(): Promise<RawComponent> {
  return openRawComponent({
    host: guest.server.address,
    port: COMPONENT_PORT,
    jid: guest.jid,
    secret: secretIn(guest.setUp.result.secretFile),
  })
}

async function rogue(otherwise: Partial<RogueOptions> = {}): Promise<Rogue> {
  const opened = await openRogue({ id: MEMBER, to: target.id, keys, ...otherwise })
  rogues.push(opened)
  return opened
}

let orders = 0
/** The one order that the member made as it should. */
let ordered = ''
const wanted = () => {
  orders += 1
  return volumeOf(`00000000-0000-4000-8000-${String(orders).padStart(12, '0')}`, MEMBER)
}
const fromMember = (child: string, type: 'get' | 'set' = 'set') =>
  ofMember.send(iq({ from: guest.jid, to: jidOf(target.id), type }, child))

/** The honest member orders, and has it; nothing else is there. */
async function honestIsServed(): Promise<void> {
  await trade.until(honest, await trade.order(honest, target), 'READY')
}

async function stanzas(event: string): Promise<number> {
  const metrics = await readMetrics(target)
  return metrics.get(`fogbow_federation_stanzas_total{event="${event}"}`) ?? 0
}

test('what a member writes that cannot be believed is refused and counted by its reason', async () => {
  const own = await rogue()
  const others = await rogue({ keys: makeSiteKeys() })
  const fast = await rogue({ aheadMs: 300_000 })
  const slow = await rogue({ aheadMs: -300_000 })
  const foreign = await rogue({ id: honest.id })
  const create = (by: Rogue, otherwise: object = {}) => {
    const { params, user } = wanted()
    return by.request('createOrder', params, { user, ...otherwise })
  }
  const unsigned = (text: string) => text.slice(0, text.lastIndexOf('.') + 1)
  const flipped = (text: string) =>
    text.replace(/.{4}$/, (end) => (end === 'AAAA' ? 'BBBB' : 'AAAA'))
  const none = (text: string) => {
    const header = Buffer.from(JSON.stringify({ alg: 'none', kid: 'x', typ: 'fogbow-request' }))
    return `${header.toString('base64url')}.${text.split('.')[1]}.`
  }
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
  const cases: [string, () => string, ('get' | 'set')?][] = [
    ['malformed', () => 'make me a volume'],
    ['malformed', () => unsigned(create(own))],
    ['malformed', () => none(create(own))],
    ['malformed', () => Buffer.from(deep).toString('base64url')],
    ['unknown-key', () => create(others)],
    ['bad-signature', () => flipped(create(own))],
    ['foreign-issuer', () => create(foreign)],
    ['foreign-audience', () => create(own, { to: honest.id })],
    ['not-yet-valid', () => create(fast, { expiresInMs: 400_000 })],
    ['too-long-lived', () => create(own, { expiresInMs: 1e10 })],
    ['undecryptable', () => 'a.b.c.d.e'],
    ['malformed', () => create(own), 'get'],
    ['expired', () => slow.request(':ping', {}, { expiresInMs: -120_000 }), 'get'],
  ]
  for (const [reason, write, type] of cases) {
    const before = await refusalsOf(target, reason)
    fromMember(asking(write()), type)
    await eventually(
      `${reason} is counted`,
      async () => (await refusalsOf(target, reason)) > before,
    )
  }
  await honestIsServed()
})

test('a read is answered once, a command that comes again has one effect, one that came too late none', async () => {
  const own = await rogue()
  const slow = await rogue({ aheadMs: -300_000 })
  const read = asking(own.request(':ping', {}))
  const before = await refusalsOf(target, 'replayed')
  for (let n = 0; n < 5; n += 1) fromMember(read, 'get')
  await eventually(
    'replays are counted',
    async () => (await refusalsOf(target, 'replayed')) >= before + 4,
  )
  const { params, user } = wanted()
  const command = asking(own.request('createOrder', params, { user }))
  for (let n = 0; n < 20; n += 1) fromMember(command)
  ordered = params.orderId
  const late = wanted()
  fromMember(
    asking(slow.request('createOrder', late.params, { user: late.user, expiresInMs: -60_000 })),
  )
  const others = { ...wanted() }
  const stolen = { ...others.user, identityProviderId: honest.id }
  fromMember(asking(own.request('createOrder', others.params, { user: stolen })))
  await honestIsServed()
  await eventually('the order of the member is there', async () => {
    const metrics = await readMetrics(target)
    return (metrics.get('fogbow_orders{kind="volume",state="FULFILLED"}') ?? 0) >= 3
  })
})

test('stanzas that are too deep, too wide, too large or not for anybody are refused and counted', async () => {
  const before = await stanzas('refused')
  const attributes = Array.from({ length: 100 }, (_, n) => `a${n}='x'`).join(' ')
  fromMember(
    `<request xmlns='urn:fogbow:federation:1'>${'<a>'.repeat(60)}${'</a>'.repeat(60)}</request>`,
  )
  fromMember(`<request xmlns='urn:fogbow:federation:1' ${attributes}/>`)
  fromMember(`<request xmlns='urn:fogbow:federation:1'>${'<a/>'.repeat(5000)}</request>`)
  await eventually('they are counted', async () => (await stanzas('refused')) >= before + 3)
  const unknown = await stanzas('unknown')
  fromMember(`<query xmlns='urn:nobody'/>`)
  ofStranger.send(iq({ from: STRANGER, to: jidOf(target.id) }, '<x xmlns="urn:nobody"/>'))
  await eventually('they are counted', async () => (await stanzas('unknown')) >= unknown + 2)
  // Beyond what servers carry: the sender's own server ends its stream.
  fromMember(asking('A'.repeat(1_200_000)))
  await eventually('the stream is ended', () => ofMember.isOver)
  await honestIsServed()
  ofMember = await connect()
})

test('a stranger at the same server is nobody, and cannot speak in the name of a member', async () => {
  const own = await rogue()
  const before = await refusalsOf(target, 'no-site')
  const { params, user } = wanted()
  const order = asking(own.request('createOrder', params, { user }))
  ofStranger.send(iq({ from: STRANGER, to: jidOf(target.id) }, order))
  await eventually('it is counted', async () => (await refusalsOf(target, 'no-site')) > before)
  ofStranger.send(iq({ from: guest.jid, to: jidOf(target.id) }, order))
  await eventually('its server ends the stream', () => ofStranger.isOver)
  await honestIsServed()
  ofStranger = await openRawComponent({
    host: target.server.address,
    port: COMPONENT_PORT,
    jid: STRANGER,
    secret: STRANGERS_SECRET,
  })
})

test('XML that is none ends the stream of who wrote it, and nobody else is disturbed', async () => {
  const links = await stanzas('links')
  for (const text of [
    '<iq></message>',
    '<!DOCTYPE x [<!ENTITY a "b">]>',
    '\u0000',
    '</stream:stream>',
  ]) {
    const one = await connect()
    one.send(text)
    await eventually(`${text} ends the stream`, () => one.isOver)
    one.close()
  }
  ofMember = await connect()
  assert.equal(await stanzas('links'), links)
  await honestIsServed()
})

test('floods from a member and a stranger are counted, and an honest member is served all the time', async () => {
  const own = await rogue()
  const refused = async () =>
    (await refusalsOf(target, 'malformed')) +
    (await refusalsOf(target, 'no-site')) +
    (await stanzas('busy'))
  const before = await refused()
  let over = false
  /** As fast as the servers carry it: so many that nobody has answered. */
  async function flood(by: RawComponent, write: (n: number) => string): Promise<number> {
    const already = by.arrived
    let sent = 0
    while (!over) {
      while (sent - (by.arrived - already) < IN_FLIGHT) by.send(write(sent++))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return sent
  }
  const member = { from: guest.jid, to: jidOf(target.id) }
  const stranger = { from: STRANGER, to: jidOf(target.id) }
  const flooding = Promise.all([
    flood(ofMember, (n) =>
      n % 2
        ? iq(member, asking(`nonsense ${n}`))
        : iq({ ...member, type: 'get' }, asking(own.request(':ping', {}))),
    ),
    flood(ofStranger, (n) => iq(stranger, asking(`nonsense ${n}`))),
  ])
  try {
    for (let n = 0; n < 5; n += 1) await honestIsServed()
    await eventually('thousands are counted', async () => (await refused()) - before > 2000)
  } finally {
    over = true
  }
  const sent = await flooding
  assert.ok(Math.min(...sent) > 1000, String(sent))
  await honestIsServed()
})

test('a member that never reads what it is answered holds up nobody', async () => {
  const own = await rogue()
  ofMember.socket.pause()
  for (let n = 0; n < 2000; n += 1) fromMember(asking(own.request(':ping', {})), 'get')
  await honestIsServed()
  ofMember.socket.resume()
})

test('after all of it the target has what members ordered, and nothing else', async () => {
  assert.deepEqual(await untilSettled([honest]), [])
  await stopAtOnce(federation.sites)
  const books = federation.sites.map(readBooks)
  // The member of these tests is no site: what it is told may still be on its way when all others have settled.
  const ofSites = differences(books).filter((one) => !one.endsWith(`with ${MEMBER} is open`))
  assert.deepEqual(ofSites, [])
  const ofGuest = [...(books[0]?.orders.values() ?? [])].filter(
    ({ requester }) => requester === MEMBER,
  )
  assert.deepEqual(
    ofGuest.map(({ id, state }) => ({ id, state })),
    [{ id: ordered, state: 'FULFILLED' }],
  )
})
