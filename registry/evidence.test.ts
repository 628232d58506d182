import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { alice, applied, newMarketplace } from './fixtures/marketplace.ts'
import { integrityOf, npmRegistry, type PublishOptions } from './fixtures/npm-registry.ts'
import { packed, plugin, temporaryFolder } from './fixtures/packages.ts'
import { buildIdentity, startSigstore, type TestSigstore } from './fixtures/sigstore.ts'
import { createJudge, type JudgeOptions } from './trust/judge.ts'
import { readPolicy } from './trust/policy.ts'
import { createProvenanceReader } from './trust/provenance.ts'
import { readRegistryKey } from './trust/registry-signature.ts'

/** Evidence as it comes from a registry: from the document, over its download, to the judge and back offline. */

const name = 'vendor-plugin'
const files = plugin('x')
const integrity = integrityOf(packed(files))
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const registryKey = readRegistryKey('keys[0]', {
  keyId: 'SHA256:a',
  key: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
})
const signatureOf = (version: string) => ({
  keyid: 'SHA256:a',
  sig: sign('sha256', Buffer.from(`${name}@${version}:${integrity}`), privateKey).toString(
    'base64',
  ),
})

let sigstore: TestSigstore
before(async () => {
  sigstore = await startSigstore()
})
after(() => sigstore.close())

const publisher = { packages: [name], provenance: [buildIdentity] }
const policy = {
  minimumAgeHours: 0,
  publishers: { Vendor: publisher },
  requireRegistrySignatures: true,
}

async function siteWith(t: TestContext, served: PublishOptions, parts: Partial<JudgeOptions> = {}) {
  const npm = await npmRegistry(t, [])
  npm.publish(files, served)
  const judge = createJudge({
    policy: () => readPolicy(policy),
    siteId: 'site-a.example',
    provenance: createProvenanceReader(async () => sigstore.trustRoot),
    registryKeys: () => [registryKey],
    revocations: async () => ({ heeded: [], stale: [] }),
    clock: Date,
    ...parts,
  })
  const made = await newMarketplace(t, { judge, npm: { registry: npm.registry } })
  return { ...made, npm, judge }
}

async function refusedRules(
  t: TestContext,
  served: PublishOptions,
  parts?: Partial<JudgeOptions>,
): Promise<(string | undefined)[]> {
  const { marketplace } = await siteWith(t, served, parts)
  const plan = await marketplace.plan({ action: 'install', source: name }, alice)
  const { verdict } = plan.changes[0] ?? {}
  return (verdict?.refusals ?? []).map(({ rule }) => rule)
}

test('what the named workflow built and the registry signed is verified, and judged again without a network', async (t) => {
  const attestations = [await sigstore.attest({ name, version: '1.0.0', integrity })]
  const served = { attestations, signatures: [signatureOf('1.0.0')] }
  const { marketplace, npm, judge } = await siteWith(t, served)
  const plan = await marketplace.plan({ action: 'install', source: name }, alice)
  assert.deepEqual(plan.refusals, [])
  const { verdict } = plan.changes[0] ?? {}
  assert.deepEqual([verdict?.level, verdict?.publisher], ['verified', 'Vendor'])
  const passed = verdict?.checks.filter(({ outcome }) => outcome === 'passed')
  for (const rule of ['integrity', 'publisher', 'registry-signature'])
    assert.ok(
      passed?.some((check) => check.rule === rule),
      rule,
    )

  const file = join(await temporaryFolder(t), 'carried.fogbow')
  await marketplace.exportBundle([name], file)
  npm.fault = () => assert.fail('no registry is asked any more')
  await applied(marketplace, plan)
  assert.deepEqual(
    (await marketplace.drift()).filter(({ kind }) => kind !== 'not used'),
    [],
  )
  const elsewhere = await newMarketplace(t, { judge, npm: { registry: npm.registry } })
  const carried = await elsewhere.marketplace.plan({ action: 'install', source: file }, alice)
  assert.deepEqual(carried.refusals, [])
  assert.equal(
    carried.changes[0]?.verdict?.level,
    'verified',
    'evidence holds in a bundle file too',
  )
})

test('a build of another workflow, a stranger’s Sigstore, a changed statement and none at all are refused', async (t) => {
  const subject = { name, version: '1.0.0', integrity }
  const stranger = await startSigstore()
  t.after(() => stranger.close())
  const forged = structuredClone(await sigstore.attest({ ...subject, version: '0.9.0' })) as {
    dsseEnvelope: { payload: string }
  }
  const text = Buffer.from(forged.dsseEnvelope.payload, 'base64').toString()
  forged.dsseEnvelope.payload = Buffer.from(text.replace('0.9.0', '1.0.0')).toString('base64')
  const workflow_ref = 'vendor/plugin/.github/workflows/test.yml@refs/heads/main'
  const sub = `https://github.com/${workflow_ref}`
  const signatures = [signatureOf('1.0.0')]
  const useless: [string, unknown[]][] = [
    ['another workflow', [await sigstore.attest(subject, { workflow_ref, sub })]],
    ['a stranger', [await stranger.attest(subject)]],
    ['changed', [forged]],
    ['none', []],
  ]
  for (const [what, attestations] of useless)
    assert.deepEqual(await refusedRules(t, { attestations, signatures }), ['publisher'], what)
})

test('a signature of the registry for another version, or none, is refused where the policy asks for one', async (t) => {
  const attestations = [await sigstore.attest({ name, version: '1.0.0', integrity })]
  const forged = { attestations, signatures: [signatureOf('1.0.1')] }
  assert.deepEqual(await refusedRules(t, forged), ['registry-signature'])
  assert.deepEqual(await refusedRules(t, { attestations }), ['registry-signature'])
})

test('a mirror that drops the proof of a build is made up for by a catalogue that carries it', async (t) => {
  const attestation = await sigstore.attest({ name, version: '1.0.0', integrity })
  const served = { signatures: [signatureOf('1.0.0')] }
  assert.deepEqual(await refusedRules(t, served), ['publisher'])
  const evidenceFor = async () => ({ attestations: [attestation] })
  assert.deepEqual(await refusedRules(t, served, { evidenceFor }), [])
})

test('what a catalogue’s curators found wanting is refused', async (t) => {
  const attestations = [await sigstore.attest({ name, version: '1.0.0', integrity })]
  const served = { attestations, signatures: [signatureOf('1.0.0')] }
  const vetting = { result: 'failed', by: 'the curators', report: 'it phones home' } as const
  const evidenceFor = async () => ({ attestations: [], vetting })
  assert.deepEqual(await refusedRules(t, served, { evidenceFor }), ['vetting'])
})
