import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { candidate, integrityOf } from '../fixtures/candidate.ts'
import { buildIdentity, startSigstore, type TestSigstore } from '../fixtures/sigstore.ts'
import { createProvenanceReader, type ProvenanceReader } from './provenance.ts'

const plugin = candidate()
const subject = {
  name: plugin.name,
  version: plugin.version,
  integrity: plugin.integrity ?? '',
}

describe('provenance', () => {
  let sigstore: TestSigstore
  let reader: ProvenanceReader
  let attestation: unknown

  before(async () => {
    sigstore = await startSigstore()
    reader = createProvenanceReader(async () => sigstore.trustRoot)
    attestation = await sigstore.attest(subject)
  })
  after(() => sigstore.close())

  const problemOf = (attestations: unknown[], identities = [buildIdentity]) =>
    reader.problemOf({ ...plugin, attestations }, identities)

  test('a build by the named workflow of the named repository is believed', async () => {
    assert.equal(await problemOf([attestation]), undefined)
  })

  test('a policy without a workflow believes every workflow of the repository', async () => {
    const { workflow: _, ...anyWorkflow } = buildIdentity
    assert.equal(await problemOf([attestation], [anyWorkflow as typeof buildIdentity]), undefined)
  })

  test('a good attestation serves beside one that does not hold', async () => {
    assert.equal(await problemOf([{ nonsense: true }, attestation]), undefined)
  })

  const others = [
    ['another repository', { repository: 'https://github.com/vendor/other' }],
    ['a repository whose name begins alike', { repository: 'https://github.com/vendor/plug' }],
    ['another workflow', { workflow: '.github/workflows/release' }],
    ['another issuer', { issuer: 'https://elsewhere.example' }],
  ] as const
  for (const [what, change] of others) {
    test(`a policy that names ${what} does not believe it`, async () => {
      const problem = await problemOf([attestation], [{ ...buildIdentity, ...change }])
      assert.match(String(problem), /release\.yml@refs\/tags\/v1 .* the policy does not name/)
    })
  }

  const elsewhere = [
    ['another tarball', { integrity: integrityOf('other') }],
    ['another version', { version: '9.9.9' }],
    ['another package', { name: '@vendor/other' }],
  ] as const
  for (const [what, change] of elsewhere) {
    test(`a true attestation about ${what} proves nothing`, async () => {
      const other = await sigstore.attest({ ...subject, ...change })
      assert.match(String(await problemOf([other])), /about another package or other content/)
    })
  }

  test('a statement that says nothing about a build proves nothing', async () => {
    const predicateType = 'https://example.com/opinion/v1'
    const opinion = await sigstore.attest({ ...subject, predicateType })
    assert.match(String(await problemOf([opinion])), /nothing about its build/)
  })

  test('a changed statement does not hold', async () => {
    const forged = structuredClone(attestation) as { dsseEnvelope: { payload: string } }
    const text = Buffer.from(forged.dsseEnvelope.payload, 'base64').toString()
    const changed = text.replace(plugin.version, '1.2.4')
    forged.dsseEnvelope.payload = Buffer.from(changed).toString('base64')
    const wanted = { ...plugin, version: '1.2.4', attestations: [forged] }
    const problem = await reader.problemOf(wanted, [buildIdentity])
    assert.match(String(problem), /an attestation does not hold/)
  })

  test('an attestation of a Sigstore that is not in the trust root does not hold', async () => {
    const stranger = await startSigstore()
    try {
      const forged = await stranger.attest(subject)
      assert.match(String(await problemOf([forged])), /an attestation does not hold/)
    } finally {
      await stranger.close()
    }
  })

  test('a trust root is exchanged while the site runs: from then on the new one counts alone', async () => {
    const successor = await startSigstore()
    let root: string | undefined = sigstore.trustRoot
    const following = createProvenanceReader(async () => root)
    const problem = (attestations: unknown[]) =>
      following.problemOf({ ...plugin, attestations }, [buildIdentity])
    try {
      const later = await successor.attest(subject)
      assert.equal(await problem([attestation]), undefined)
      assert.match(String(await problem([later])), /an attestation does not hold/)
      root = successor.trustRoot
      assert.equal(await problem([later]), undefined)
      assert.match(String(await problem([attestation])), /an attestation does not hold/)
      root = undefined
      assert.match(
        String(await problem([later])),
        /an attestation does not hold/,
        'the shipped one',
      )
    } finally {
      await successor.close()
    }
  })

  test('without a log entry it does not hold', async () => {
    const forged = structuredClone(attestation) as {
      verificationMaterial: { tlogEntries: unknown[] }
    }
    forged.verificationMaterial.tlogEntries = []
    assert.match(String(await problemOf([forged])), /an attestation does not hold/)
  })

  test('the trust root that comes with the site can be read without a network', async () => {
    const shipped = createProvenanceReader()
    const problem = await shipped.problemOf({ ...plugin, attestations: [attestation] }, [
      buildIdentity,
    ])
    assert.match(String(problem), /an attestation does not hold/)
  })

  test('a trust root that cannot be read is an error of the configuration', async () => {
    const broken = createProvenanceReader(async () => '{"tlogs": 5')
    await assert.rejects(
      broken.problemOf({ ...plugin, attestations: [attestation] }, [buildIdentity]),
      /marketplace\.trustRoot: the trust root of Sigstore cannot be read/,
    )
  })
})
