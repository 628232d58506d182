import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import { candidate, integrityOf } from '../fixtures/candidate.ts'
import type { HeededRevocation } from '../marketplace.ts'
import type { Candidate } from './candidate.ts'
import { createJudge, type JudgeOptions } from './judge.ts'
import { readPolicy } from './policy.ts'
import { readRegistryKey } from './registry-signature.ts'
import { signDocument } from './signed-document.ts'
import { createSigningKey } from './signing-key.ts'
import { signPackage } from './vendor-signature.ts'

const now = Date.parse('2026-06-01T00:00:00Z')
const key = createSigningKey()
const acme = { packages: ['@vendor/*'], keys: [key.text] }

function judge(subject: Candidate, policy: unknown, parts: Partial<JudgeOptions> = {}) {
  return createJudge({
    policy: () => readPolicy(policy),
    siteId: 'site-a.example',
    provenance: { problemOf: async () => 'the build is unknown' },
    registryKeys: () => [],
    revocations: async () => ({ heeded: [], stale: [] }),
    clock: { now: () => now },
    ...parts,
  })(subject)
}

async function refusalsOf(
  subject: Candidate,
  policy: unknown,
  parts?: Partial<JudgeOptions>,
): Promise<string[]> {
  const { refusals } = await judge(subject, policy, parts)
  for (const { remedy } of refusals) assert.ok(remedy, 'a refusal says what to do')
  return refusals.map(({ rule }) => rule)
}

const signedBy = (signer = key) => candidate({ vendorSignature: signPackage(candidate(), signer) })

describe('trust levels', () => {
  test('what comes with the site is official', async () => {
    const verdict = await judge(candidate({ isBundled: true, sourceKind: 'folder' }), {})
    assert.deepEqual([verdict.level, verdict.refusals], ['official', []])
  })

  test('a registry’s package that nobody answers for is of the community', async () => {
    const verdict = await judge(candidate(), {})
    assert.deepEqual([verdict.level, verdict.publisher], ['community', undefined])
    const check = verdict.checks.find(({ rule }) => rule === 'publisher')
    assert.equal(check?.outcome, 'absent')
  })

  test('a folder and a tarball are local', async () => {
    for (const sourceKind of ['folder', 'tarball'] as const)
      assert.equal((await judge(candidate({ sourceKind }), {})).level, 'local')
  })

  test('what its publisher signed has the level that the policy gives to that publisher', async () => {
    for (const level of ['verified', 'official'] as const) {
      const policy = { publishers: { acme: { ...acme, level } } }
      const verdict = await judge(signedBy(), policy)
      assert.deepEqual([verdict.level, verdict.publisher, verdict.refusals], [level, 'acme', []])
    }
  })

  test('a level below the least that the policy wants is refused', async () => {
    assert.deepEqual(await refusalsOf(candidate(), { minimumTrust: 'verified' }), ['trust-level'])
    const policy = { minimumTrust: 'verified', publishers: { acme } }
    assert.deepEqual(await refusalsOf(signedBy(), policy), [])
  })
})

describe('a package with a named publisher', () => {
  test('is refused without evidence, with forged evidence and with that of a stranger', async () => {
    const changed = { ...signedBy(), files: [{ path: 'index.js', sha256: '0'.repeat(64) }] }
    for (const subject of [candidate(), changed, signedBy(createSigningKey())])
      assert.deepEqual(await refusalsOf(subject, { publishers: { acme } }), ['publisher'])
  })

  test('is refused as a local tarball too when nobody signed it', async () => {
    const policy = { publishers: { acme } }
    assert.deepEqual(await refusalsOf(candidate({ sourceKind: 'tarball' }), policy), ['publisher'])
  })

  test('may come from any of its publishers', async () => {
    const other = { packages: ['@vendor/plugin'], keys: [createSigningKey().text] }
    const verdict = await judge(signedBy(), { publishers: { other, acme } })
    assert.equal(verdict.publisher, 'acme')
  })

  test('cannot be vouched for by the publisher of other packages', async () => {
    const mine = { packages: ['@mine/*'], keys: [key.text], level: 'official' }
    const strict = { packages: ['@vendor/*'], keys: [createSigningKey().text] }
    const verdict = await judge(signedBy(), { publishers: { mine, strict } })
    assert.deepEqual([verdict.level, verdict.publisher], ['community', undefined])
    assert.deepEqual(
      verdict.refusals.map(({ rule }) => rule),
      ['publisher'],
    )
  })

  test('is believed by its build when its publisher is known by that', async () => {
    const provenance = [{ issuer: 'https://i.example', repository: 'https://r.example/a' }]
    const policy = { publishers: { acme: { packages: ['@vendor/*'], provenance } } }
    const proven = { provenance: { problemOf: async () => undefined } }
    assert.deepEqual(await refusalsOf(candidate(), policy, proven), ['publisher'])
    const attested = candidate({ attestations: [{}] })
    assert.deepEqual(await refusalsOf(attested, policy, proven), [])
    assert.deepEqual(await refusalsOf(attested, policy), ['publisher'])
  })
})

describe('integrity', () => {
  test('other bytes than the registry announced are refused, and so is no announcement', async () => {
    const other = candidate({ integrity: integrityOf('other bytes') })
    assert.deepEqual(await refusalsOf(other, {}), ['integrity'])
    const { announcedIntegrity: _, ...unannounced } = candidate()
    assert.deepEqual(await refusalsOf(unannounced, {}), ['integrity'])
  })
})

describe('allow and deny lists', () => {
  test('deny goes before allow, and what allow does not name is refused', async () => {
    const both = { allow: ['@vendor/*'], deny: ['@vendor/plugin@1.2.3'] }
    assert.deepEqual(await refusalsOf(candidate(), both), ['allowed'])
    assert.deepEqual(await refusalsOf(candidate({ version: '1.2.4' }), both), [])
    assert.deepEqual(await refusalsOf(candidate({ name: 'other' }), both), ['allowed'])
  })

  test('an empty allow list lets nothing in', async () => {
    assert.deepEqual(await refusalsOf(candidate(), { allow: [] }), ['allowed'])
  })

  test('a mistake in the policy lets nothing in, not even what comes with the site', async () => {
    const policy = { allow: ['*'], deny: ['a b'] }
    await assert.rejects(judge(candidate({ isBundled: true }), policy), /policy\.deny\[0\]/)
  })
})

describe('minimum age', () => {
  const hoursAgo = (hours: number) => new Date(now - hours * 3_600_000).toISOString()
  const cases: [string, Partial<Candidate>, string[]][] = [
    ['old by both clocks', { publishedAt: hoursAgo(25), firstSeenAt: hoursAgo(24) }, []],
    ['seen lately', { publishedAt: hoursAgo(999), firstSeenAt: hoursAgo(23) }, ['minimum-age']],
    ['published lately', { publishedAt: hoursAgo(1), firstSeenAt: hoursAgo(99) }, ['minimum-age']],
    ['published in the future', { publishedAt: hoursAgo(-9) }, ['minimum-age']],
    ['published at no time', { publishedAt: 'long ago', firstSeenAt: hoursAgo(25) }, []],
  ]
  for (const [what, fields, refused] of cases) {
    test(`a version ${what} is ${refused.length === 0 ? 'let in' : 'refused'}`, async () => {
      assert.deepEqual(await refusalsOf(candidate(fields), {}), refused)
    })
  }

  test('a version that nobody noted as seen is refused', async () => {
    const { firstSeenAt: _, ...unseen } = candidate()
    assert.deepEqual(await refusalsOf(unseen, {}), ['minimum-age'])
  })

  test('folders, tarballs and a policy without an age do not wait', async () => {
    const young = candidate({ firstSeenAt: hoursAgo(0) })
    assert.deepEqual(await refusalsOf({ ...young, sourceKind: 'folder' }, {}), [])
    assert.deepEqual(await refusalsOf(young, { minimumAgeHours: 0 }), [])
  })
})

describe('revocation', () => {
  const revocation: HeededRevocation = {
    package: '@vendor/plugin',
    versions: '<2',
    action: 'stop',
    reason: 'it mines coins',
    since: '2026-05-01T00:00:00Z',
    source: 'list',
  }
  const heeding = (change: Partial<HeededRevocation>, stale: string[] = []) => ({
    revocations: async () => ({ heeded: [{ ...revocation, ...change }], stale }),
  })

  test('a revoked version is refused, another one and another package are not', async () => {
    assert.deepEqual(await refusalsOf(candidate(), {}, heeding({})), ['revocation'])
    const stopped = heeding({ action: 'stop-new-orders' })
    assert.deepEqual(await refusalsOf(candidate(), {}, stopped), ['revocation'])
    assert.deepEqual(await refusalsOf(candidate({ version: '2.0.0' }), {}, heeding({})), [])
    assert.deepEqual(await refusalsOf(candidate({ name: 'other' }), {}, heeding({})), [])
  })

  test('a revocation of one bundle leaves others of the same version alone', async () => {
    assert.deepEqual(await refusalsOf(candidate(), {}, heeding({ hash: '0'.repeat(64) })), [])
    const own = heeding({ hash: candidate().hash })
    assert.deepEqual(await refusalsOf(candidate(), {}, own), ['revocation'])
  })

  test('a warning is shown and refuses nothing', async () => {
    const { checks, refusals } = await judge(candidate(), {}, heeding({ action: 'warn' }))
    const check = checks.find(({ rule }) => rule === 'revocation')
    assert.deepEqual([check?.outcome, refusals], ['warning', []])
    assert.match(String(check?.message), /'list' warns of it: it mines coins/)
  })

  test('without a valid list nothing of the community is let in, and the verified is', async () => {
    const stale = heeding({ package: 'other' }, ['list'])
    assert.deepEqual(await refusalsOf(candidate(), {}, stale), ['revocation'])
    assert.deepEqual(await refusalsOf(signedBy(), { publishers: { acme } }, stale), [])
  })
})

describe('licences and advisories', () => {
  const copyleft = { name: 'dep', version: '1.0.0', license: 'GPL-3.0-only' }

  test('a licence of a dependency counts like its own', async () => {
    const subject = candidate({ components: [copyleft] })
    assert.deepEqual(await refusalsOf(subject, { licenses: { deny: ['GPL-3.0-only'] } }), [
      'license',
    ])
    assert.deepEqual(await refusalsOf(subject, { licenses: { allow: ['MIT'] } }), ['license'])
    assert.deepEqual(await refusalsOf(candidate(), { licenses: { allow: ['MIT'] } }), [])
  })

  test('a known weakness is a warning, or a refusal where the policy says so', async () => {
    const advisory = {
      id: 'A-1',
      package: 'dep',
      severity: 'high',
      title: 'leaks',
      range: '<2',
    } as const
    const weak = candidate({ advisories: [advisory] })
    assert.deepEqual(await refusalsOf(weak, {}), [])
    assert.deepEqual(await refusalsOf(weak, { advisories: 'refuse' }), ['advisories'])
  })
})

describe('conformance reports', () => {
  const strict = { requireConformanceReport: true }
  const withKeys = { ...strict, publishers: { acme } }
  const good = { place: 'sandbox', kind: 'image', name: 'it lists', outcome: 'passed' } as const
  const reportOf = (change: object = {}, signer = key, cases: object[] = [good]) => {
    const { name, version, hash } = candidate()
    const content = {
      plugin: { name, version, bundleHash: hash, ...change },
      sdkVersion: '0.1.0',
      cases,
      type: 'fogbow-conformance-report',
      issuedAt: '2026-05-01T00:00:00Z',
      expiresAt: '2027-05-01T00:00:00Z',
      sequence: 1,
    }
    return { ...signedBy(), conformanceReport: signDocument(content, [signer]) }
  }

  test('of the publisher, or of a tester whom the policy names, are enough where they are required', async () => {
    assert.deepEqual(await refusalsOf(reportOf(), withKeys), [])
    const tester = createSigningKey()
    const tested = reportOf({}, tester)
    assert.deepEqual(await refusalsOf(tested, withKeys), ['conformance'])
    assert.deepEqual(await refusalsOf(tested, { ...strict, testers: [tester.text] }), [])
  })

  const useless: [string, Candidate][] = [
    ['none', signedBy()],
    ['one that is no report', { ...signedBy(), conformanceReport: 'passed' }],
    ['one about another bundle', reportOf({ bundleHash: '0'.repeat(64) })],
    ['one about another version', reportOf({ version: '1.2.2' })],
    ['one with a failure', reportOf({}, key, [good, { ...good, outcome: 'failed' }])],
    ['one without a sandbox', reportOf({}, key, [{ ...good, place: 'process' }])],
  ]
  for (const [what, subject] of useless) {
    test(`${what} is refused where one is required, and said where none is`, async () => {
      assert.deepEqual(await refusalsOf(subject, withKeys), ['conformance'])
      const { checks, refusals } = await judge(subject, { publishers: { acme } })
      assert.deepEqual(refusals, [])
      const { outcome } = checks.find(({ rule }) => rule === 'conformance') ?? {}
      assert.equal(outcome, subject.conformanceReport === undefined ? 'absent' : 'warning')
    })
  }

  test('cannot be changed after they were signed, and end', async () => {
    const { conformanceReport } = reportOf({}, key, [{ ...good, outcome: 'failed' }])
    const text = JSON.stringify(conformanceReport).replace('"failed"', '"passed"')
    const forged = { ...signedBy(), conformanceReport: JSON.parse(text) as unknown }
    assert.deepEqual(await refusalsOf(forged, withKeys), ['conformance'])
    const later = { clock: { now: () => Date.parse('2027-06-01T00:00:00Z') } }
    assert.deepEqual(await refusalsOf(reportOf(), withKeys, later), ['conformance'])
  })

  test('are not asked of what comes with the site', async () => {
    const own = candidate({ isBundled: true, sourceKind: 'folder' })
    assert.deepEqual(await refusalsOf(own, strict), [])
  })
})

describe('signatures of a registry', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
  const registryKey = readRegistryKey('keys[0]', { keyId: 'SHA256:a', key: spki })
  const known = { registryKeys: () => [registryKey] }
  const strict = { requireRegistrySignatures: true }
  const signatureOf = ({ name, version, integrity }: Candidate) => ({
    keyid: 'SHA256:a',
    sig: sign('sha256', Buffer.from(`${name}@${version}:${integrity}`), privateKey).toString(
      'base64',
    ),
  })
  const signed = candidate({ registrySignatures: [signatureOf(candidate())] })

  test('a true signature passes', async () => {
    assert.deepEqual(await refusalsOf(signed, strict, known), [])
  })

  test('signatures that a bundle file carried along are looked at as well', async () => {
    const carried = { ...signed, sourceKind: 'tarball' } as const
    assert.deepEqual(await refusalsOf(carried, {}, known), [])
    const forged = { ...carried, version: '1.2.4' }
    assert.deepEqual(await refusalsOf(forged, {}, known), ['registry-signature'])
  })

  test('a forged one is refused, also where none is asked for', async () => {
    const forged = { ...signed, version: '1.2.4' }
    assert.deepEqual(await refusalsOf(forged, {}, known), ['registry-signature'])
    const unknown = candidate({ registrySignatures: [{ keyid: 'SHA256:b', sig: 'x' }] })
    assert.deepEqual(await refusalsOf(unknown, {}, known), ['registry-signature'])
  })

  test('a missing one is refused where the policy asks for it, and said where it does not', async () => {
    assert.deepEqual(await refusalsOf(candidate(), strict, known), ['registry-signature'])
    assert.deepEqual(await refusalsOf(signed, strict), ['registry-signature'])
    const { checks } = await judge(candidate(), {}, known)
    assert.equal(checks.find(({ rule }) => rule === 'registry-signature')?.outcome, 'absent')
  })

  test('a key does not sign what was published after its end', async () => {
    const written = { keyId: 'SHA256:a', key: spki, expires: '2025-01-01T00:00:00Z' }
    const expired = { registryKeys: () => [readRegistryKey('keys[0]', written)] }
    assert.deepEqual(await refusalsOf(signed, {}, expired), ['registry-signature'])
  })

  test('what is no key is an error that names its place', () => {
    assert.throws(() => readRegistryKey('keys[0]', { keyId: 'a', key: 'x' }), /keys\[0\]\.key/)
    const written = { keyId: 'a', key: spki, expires: 'never' }
    assert.throws(() => readRegistryKey('keys[0]', written), /keys\[0\]\.expires/)
  })
})
