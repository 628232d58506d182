import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readCertificate } from '../../../core/federation/doctor/certificate.ts'
import {
  createNames,
  type DoctorParts,
  examineFederation,
  type Finding,
  reportStandingAlone,
  type StandAloneParts,
} from '../../../core/federation/doctor/index.ts'
import {
  createFederation,
  defaultFederationSettings,
  type FederationHost,
  openSiteKeys,
} from '../../../core/federation/index.ts'
import {
  type Clock,
  createXmppComponent,
  systemClock,
  type XmppComponent,
} from '../../../core/federation/xmpp/index.ts'
import { openSqliteStore } from '../../../core/store/index.ts'
import { loopbackAddress } from '../servers/addresses.ts'
import { type Authority, type Certificate, createAuthority } from '../servers/certificates.ts'
import { startEjabberd } from '../servers/ejabberd.ts'
import { startProsody } from '../servers/prosody.ts'
import type { XmppServer } from '../servers/server-process.ts'
import { linkIs } from '../xmpp/site.ts'

const SECRET = 'correct horse battery'
const log = { info() {}, warn() {}, error() {} }
const OURS = 'a.site-a.test'
/** The same behind ejabberd, which has other words for what goes wrong. */
const OTHER = 'e.site-e.test'
const DAY_MS = 86_400_000

/** Members: one that is well, and one for each thing that can be wrong with a server. */
const members = ['b.site-b.test', 'c.site-c.test', 'd.site-d.test'] as const
const [good, selfSigned, expired] = members
const nowhere = 'x.site-x.test'

let authority: Authority
let folder: string
const servers = new Map<string, XmppServer>()
let names: Record<string, string>
let ourKeys: string[]
let theirKeys: string[]

before(async () => {
  authority = createAuthority()
  folder = mkdtempSync(join(tmpdir(), 'fogbow-doctor-'))
  const ids = [OURS, OTHER, ...members]
  const addresses = await Promise.all(ids.map(loopbackAddress))
  names = Object.fromEntries(ids.map((id, n) => [`ras-${id}`, addresses[n] ?? '']))
  const special: Record<string, Certificate> = {
    [selfSigned]: authority.selfSigned('site-c.test'),
    [expired]: authority.expired('site-d.test'),
  }
  await Promise.all(
    ids.map(async (id) => {
      const certificate = special[id]
      const start = id === OTHER ? startEjabberd : startProsody
      const server = await start({
        domain: id.slice(id.indexOf('.') + 1),
        address: names[`ras-${id}`] ?? '',
        components: { [`ras-${id}`]: SECRET },
        authority,
        names,
        ...(id !== OTHER && { onConflict: 'kick_old' }),
        ...(certificate && { certificate }),
      })
      servers.set(id, server)
    }),
  )
  ourKeys = [...(await openSiteKeys(join(folder, OURS))).announced]
  theirKeys = [...(await openSiteKeys(join(folder, good))).announced]
})
after(async () => {
  await Promise.all([...servers.values()].map((server) => server.remove()))
  authority.remove()
  rmSync(folder, { recursive: true, force: true })
})

interface Member {
  federation: FederationHost
  component: XmppComponent
  stop(): Promise<void>
}

/** The host of a member, with our keys pinned unless told otherwise. */
async function startMember(
  id: string,
  options: { clock?: Clock; pinned?: string[]; listed?: string[]; keysOf?: string } = {},
): Promise<Member> {
  const { clock = systemClock, pinned = ourKeys, listed = [OURS], keysOf = id } = options
  const host = names[`ras-${id}`] ?? ''
  const component = createXmppComponent(
    { jid: `ras-${id}`, host, port: 5347, secret: SECRET },
    { log, clock },
  )
  const store = await openSqliteStore(':memory:')
  const settings = {
    ...defaultFederationSettings,
    members: listed,
    peers: { [OURS]: { keys: pinned } },
  }
  const federation = createFederation({
    ...{ component, store, siteId: id, methods: [], config: () => settings, clock, log },
    keys: await openSiteKeys(join(folder, keysOf)),
  })
  await federation.start()
  component.start()
  await linkIs(component, 'online')
  return {
    federation,
    component,
    async stop() {
      await federation.stop()
      await component.stop()
      await store.close()
    },
  }
}

interface Look {
  members?: readonly string[]
  keys?: string[]
  alone?: Partial<StandAloneParts>
  doctor?: Partial<DoctorParts>
  xmpp?: Partial<StandAloneParts['xmpp']>
  siteId?: string
}

/** Everything that the doctor finds, standing alone. */
async function examined(look: Look = {}): Promise<Finding[]> {
  const { members: listed = [good], keys = theirKeys, siteId = OURS } = look
  const xmpp = { host: names[`ras-${OURS}`] ?? '', port: 5347, secret: SECRET, ...look.xmpp }
  const peers = Object.fromEntries(listed.map((id) => [id, { keys }]))
  const alone: StandAloneParts = {
    ...{ siteId, xmpp, dataDir: join(folder, OURS), timeoutMs: 4000 },
    settings: { ...defaultFederationSettings, members: listed, peers },
    ...look.alone,
  }
  const parts: DoctorParts = {
    ...{ siteId, xmpp, members: listed, now: Date.now },
    names: createNames({ hosts: new Map(Object.entries(names)), servers: ['127.0.0.1:9'] }),
    authority: readFileSync(authority.certificate, 'utf8'),
    report: async () =>
      (await reportStandingAlone(alone)) ?? { missing: 'the site runs', advice: 'log in' },
    ...look.doctor,
  }
  const findings: Finding[] = []
  for await (const finding of examineFederation(parts)) findings.push(finding)
  return findings
}

function finding(findings: readonly Finding[], check: string, about?: string): Finding {
  const found = findings.find(
    (each) => each.check === check && (about === undefined || each.about.includes(about)),
  )
  assert.ok(found, `no finding about ${check}: ${JSON.stringify(findings, null, 1)}`)
  return found
}

function assertFault(found: Finding, words: RegExp): void {
  assert.equal(found.verdict, 'fault', JSON.stringify(found))
  assert.match(`${found.found} ${found.advice}`, words)
  assert.ok(found.advice, 'it says what to do')
}

const shifted = (ms: number): Clock => ({ ...systemClock, now: () => Date.now() + ms })

test('when all is well every check is good, and the ping tells latency, dialect, key and clock', async () => {
  const member = await startMember(good)
  try {
    const findings = await examined()
    const ailing = findings.filter(({ verdict }) => verdict !== 'ok')
    assert.deepEqual(ailing, [])
    assert.match(finding(findings, 'signed ping').found, /signed, in \d+ ms \(dialect own\)/)
    assert.match(finding(findings, 'clock').found, /differs from ours by \d+ ms/)
    assert.ok(finding(findings, 'keys').found.includes(theirKeys[0]?.split(':')[0] ?? '?'))
    assert.match(finding(findings, 'certificate').found, /by Federation CA/)
  } finally {
    await member.stop()
  }
})

test('a port on which nothing listens is told from one of another service', async () => {
  const closed = await examined({ xmpp: { port: 5999 } })
  assertFault(finding(closed, 'component port'), /nothing listens.*start the XMPP server/)
  assertFault(finding(closed, 'component secret'), /cannot be reached: .*ECONNREFUSED/)
  const servers = await examined({ xmpp: { port: 5269 } })
  assert.equal(finding(servers, 'component port').verdict, 'ok')
  assert.equal(finding(servers, 'component secret').verdict, 'fault')
})

test('a wrong secret is called a wrong secret', async () => {
  const findings = await examined({ xmpp: { secret: 'wrong' } })
  assertFault(finding(findings, 'component secret'), /wrong secret.*federation\.xmpp\.secret/)
  assert.equal(finding(findings, 'signed ping').verdict, 'unknown')
})

test('a component that the server does not know is named', async () => {
  const findings = await examined({ siteId: 'other.site-a.test' })
  assertFault(finding(findings, 'component secret'), /does not know a component ras-other/)
  assertFault(finding(findings, 'DNS', 'ras-other'), /no address.*dns\.zone/)
})

test('a member whose name leads nowhere', async () => {
  const findings = await examined({ members: [nowhere] })
  assertFault(finding(findings, 'DNS', nowhere), /no address.*spelt/)
  assertFault(finding(findings, 'signed ping', nowhere), /unknown name/)
})

test('a certificate signed by itself is not trusted, here and by our server', async () => {
  const findings = await examined({ members: [selfSigned] })
  assertFault(finding(findings, 'certificate', selfSigned), /not trusted: it is signed by itself/)
  assertFault(finding(findings, 'signed ping', selfSigned), /does not trust the certificate/)
})

test('a certificate that expired is told with its day, one that will soon is a warning', async () => {
  const findings = await examined({ members: [expired] })
  assertFault(finding(findings, 'certificate', expired), /expired on \d{4}-\d\d-\d\d.*renew/)
  assertFault(finding(findings, 'signed ping', expired), /does not trust the certificate/)
  const soon = await examined({ doctor: { now: () => Date.now() + 20 * DAY_MS } })
  assert.equal(finding(soon, 'certificate').verdict, 'warning')
  assert.match(finding(soon, 'certificate').found, /expires in 9 days/)
})

test('a certificate of an authority that is not given here is told with its issuer', async () => {
  const findings = await examined({ doctor: { authority: undefined } })
  assertFault(finding(findings, 'certificate'), /not (trusted|known).*issuer: Federation CA/)
})

test('a name that leads to the server of somebody else', async () => {
  const wrong = new Map([[`ras-${good}`, names[`ras-${OURS}`] ?? '']])
  const findings = await examined({ doctor: { names: createNames({ hosts: wrong }) } })
  assertFault(finding(findings, 'certificate'), /does not know ras-b|not for ras-b/)
})

test('a member that signs with another key than the pinned one', async () => {
  const member = await startMember(good, { keysOf: 'impostor' })
  try {
    const findings = await examined()
    const keys = finding(findings, 'keys')
    assertFault(keys, /wrong key.*telephone/)
    assert.ok(keys.found.includes(theirKeys[0]?.split(':')[0] ?? '?'))
    assertFault(finding(findings, 'signed ping'), /a key that is not believed here/)
  } finally {
    await member.stop()
  }
})

test('a member whose keys nobody wrote down is shown with what it says they are', async () => {
  const member = await startMember(good)
  try {
    const keys = finding(await examined({ keys: [] }), 'keys')
    assertFault(keys, /no key of it is known here.*telephone/)
    assert.ok(keys.found.includes(theirKeys[0] ?? '?'))
  } finally {
    await member.stop()
  }
})

test('a member that does not know our key, or does not have us as a member', async () => {
  const stranger = await startMember(good, { pinned: [] })
  try {
    assertFault(finding(await examined(), 'signed ping'), /does not know our key.*key show/)
  } finally {
    await stranger.stop()
  }
  const alone = await startMember(good, { listed: [] })
  try {
    assertFault(finding(await examined(), 'signed ping'), /does not have us as a member/)
  } finally {
    await alone.stop()
  }
})

for (const [name, offMs, words] of [
  ['ahead of ours', 120_000, /more than 30 s ahead of ours/],
  ['behind ours', -120_000, /more than 30 s behind ours/],
] as const)
  test(`a clock that is two minutes ${name} is named as the reason`, async () => {
    const member = await startMember(good, { clock: shifted(offMs) })
    try {
      const findings = await examined()
      assertFault(finding(findings, 'clock'), words)
      assertFault(finding(findings, 'signed ping'), /our clock/)
    } finally {
      await member.stop()
    }
  })

test('a clock that is some seconds off is measured', async () => {
  const member = await startMember(good, { clock: shifted(12_000) })
  try {
    const clock = finding(await examined(), 'clock')
    assert.equal(clock.verdict, 'warning')
    assert.match(clock.found, /1[12]\.\d s ahead of ours/)
  } finally {
    await member.stop()
  }
})

test('a member without its host, and one whose server does not answer at all', async () => {
  const without = await examined()
  assertFault(finding(without, 'signed ping'), /its host is not connected/)
  servers.get(good)?.freeze()
  try {
    const frozen = await examined({
      alone: { timeoutMs: 1500 },
      doctor: { readCertificate: (asked) => readCertificate({ ...asked, timeoutMs: 500 }) },
    })
    assertFault(finding(frozen, 'signed ping'), /silent: no answer within 1\.5 s/)
  } finally {
    servers.get(good)?.thaw()
  }
})

test('a port that cannot be seen from behind a firewall is no fault, and it says who decides', async () => {
  const member = await startMember(good)
  try {
    const findings = await examined({
      doctor: { reach: async (_host, port) => (port === 5347 ? 'open' : 'silent') },
    })
    const port = finding(findings, 'port 5269')
    assert.equal(port.verdict, 'unknown')
    assert.match(`${port.found} ${port.advice}`, /need not be wrong.*signed ping.*nc -vz 127/)
    assert.equal(finding(findings, 'signed ping').verdict, 'ok')
  } finally {
    await member.stop()
  }
})

test('a running site keeps its link: it is asked, and gives the same report', async () => {
  const dataDir = join(folder, OURS)
  const running = await openSqliteStore(join(dataDir, 'site.db'))
  try {
    const findings = await examined()
    const secret = finding(findings, 'component secret')
    assert.deepEqual([secret.verdict, secret.advice], ['unknown', 'log in'])
  } finally {
    await running.close()
  }
  const member = await startMember(good)
  try {
    const report = await member.federation.examine()
    assert.equal(report.link.state, 'online')
    assert.deepEqual(report.keys, theirKeys)
    assert.deepEqual(
      report.members.map(({ id }) => id),
      [OURS],
    )
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report)
  } finally {
    await member.stop()
  }
})

test('a server that drops a link that it took is waited for, and asked again', async () => {
  const member = await startMember(good)
  const ours = servers.get(OURS) ?? assert.fail()
  try {
    let restarted: Promise<void> | undefined
    const clock: Clock = {
      ...systemClock,
      // The first thing that waits this long is the first question.
      after(ms, run) {
        if (ms === 3999) restarted ??= ours.kill().then(ours.start)
        return systemClock.after(ms, run)
      },
    }
    const findings = await examined({ alone: { clock, timeoutMs: 3999 } })
    assert.ok(restarted, 'it was asked')
    await restarted
    assert.equal(finding(findings, 'component secret').verdict, 'ok')
    assert.equal(finding(findings, 'signed ping').verdict, 'ok')
  } finally {
    await member.stop()
  }
})

test('behind ejabberd the same faults have the same names', async () => {
  const host = names[`ras-${OTHER}`] ?? ''
  const look = { siteId: OTHER, alone: { dataDir: join(folder, OTHER), timeoutMs: 4000 } }
  const wrong = await examined({ ...look, xmpp: { host, secret: 'wrong' } })
  assertFault(finding(wrong, 'component secret'), /wrong secret/)
  const unknown = await examined({ ...look, siteId: 'other.site-e.test', xmpp: { host } })
  assertFault(finding(unknown, 'component secret'), /does not know: compare the name/)
  const all = [nowhere, selfSigned, expired, good]
  const findings = await examined({ ...look, members: all, xmpp: { host } })
  const secret = finding(findings, 'component secret')
  assert.equal(secret.verdict, 'ok', JSON.stringify(secret))
  assertFault(finding(findings, 'signed ping', nowhere), /unknown name/)
  assertFault(finding(findings, 'signed ping', selfSigned), /does not trust the certificate/)
  assertFault(finding(findings, 'signed ping', expired), /does not trust the certificate/)
  assertFault(finding(findings, 'signed ping', good), /its host is not connected/)
})
