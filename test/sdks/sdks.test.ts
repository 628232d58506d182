import assert from 'node:assert/strict'
import { createHash, sign, X509Certificate } from 'node:crypto'
import { after, describe, type TestContext, test } from 'node:test'
import type { Tier } from '../sandbox/support/tiers.ts'
import { inEachTier } from '../sandbox/support/tiers.ts'
import { openNetwork } from './plugin-network.ts'
import { bundleSdk, type SdkPlugin, startSdkPlugin } from './sdk-sandbox.ts'
import { answerAzure } from './servers/azure.ts'
import { makeCertificates } from './servers/certificates.ts'
import { answerEc2 } from './servers/ec2.ts'
import { startEcho } from './servers/echo.ts'
import { answerGoogle } from './servers/google.ts'
import { startHttps } from './servers/https-server.ts'
import { startOidcProvider } from './servers/oidc-provider.ts'
import { startSlapd } from './servers/slapd.ts'

const certificates = makeCertificates()
const idToken = signToken({ sub: 'user-1', aud: 'client-1', iss: 'https://issuer.example' })
const signing = { privateKey: certificates.key, certificate: certificates.certificate, idToken }

/** Signed with the key of the servers' certificate, as providers of identities do. */
function signToken(claims: object): string {
  const now = Math.floor(Date.now() / 1000)
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const content = `${encode({ alg: 'RS256', kid: 'key-1' })}.${encode({ ...claims, iat: now, exp: now + 3600 })}`
  const signature = sign('sha256', Buffer.from(content), certificates.key)
  return `${content}.${signature.toString('base64url')}`
}

function answerKeys() {
  const key = new X509Certificate(certificates.certificate).publicKey.export({ format: 'jwk' })
  return { body: { keys: [{ ...key, kid: 'key-1', alg: 'RS256' }] } }
}

/** Checks of one plugin: name, and what must come of it. */
type Checks = Record<string, unknown | ((outcome: never) => void)>

interface Sdk {
  plugin: string
  packages: string
  config(): Promise<Record<string, unknown>>
  checks: Checks
}

const names = ['Ada', 'Jürgen']

const sdks: Sdk[] = [
  {
    plugin: 'aws-ec2',
    packages: '@aws-sdk/client-ec2',
    config: async () => ({ endpoint: await startHttps('ec2', certificates, answerEc2) }),
    checks: {
      describe: ['i-1', 'i-2'].map((id) => ({
        id,
        state: 'running',
        tags: [{ Key: 'Name', Value: 'a & b ü' }],
        launched: '2026-01-02T03:04:05.000Z',
      })),
      run: 'i-9',
      retried: { regions: ['eu-west-1'], attempts: 2 },
      refused: {
        name: 'UnauthorizedOperation',
        message: 'You are not <allowed> to do this & that',
      },
    },
  },
  {
    plugin: 'azure-compute',
    packages: '@azure/arm-compute and @azure/identity',
    config: async () => {
      const authority = await startHttps('entra', certificates, answerAzure)
      return { authority, endpoint: await startHttps('arm', certificates, answerAzure) }
    },
    checks: {
      token: { token: 'token-1', lasts: true },
      list: ['vm-0', 'vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5'],
      create: { name: 'vm-9', provisioningState: 'Succeeded' },
      missing: { name: 'RestError', message: 'ResourceNotFound says the server', status: 404 },
    },
  },
  {
    plugin: 'google-auth',
    packages: 'google-auth-library',
    config: async () => {
      const answer = answerGoogle(certificates.certificate)
      return { ...signing, endpoint: await startHttps('google', certificates, answer) }
    },
    checks: {
      list: { status: 200, names: ['instance-1', 'instance-2'] },
      robot: 'robot-token',
      download: 300_000,
      upload: 500_000,
      missing: { name: 'Error', message: 'status 404, says the server', status: 404 },
      verify: 'user-1',
    },
  },
  {
    plugin: 'openid',
    packages: 'openid-client',
    config: async () => ({ issuer: await startOidcProvider(certificates) }),
    checks: {
      discovery: (issuer: string) => assert.match(issuer, /^https:\/\/login\.cloud\.example:/),
      clientCredentials: { active: true, client_id: 'client-1', scope: 'compute' },
      // The provider does not know the key, and says so after reading the assertion.
      signedAssertion: (failure: { status: number }) => assert.equal(failure.status, 401),
      authorizationUrl: ({ verifier, challenge }: Record<string, string>) => {
        assert.equal(challenge, sha256(verifier ?? ''))
      },
    },
  },
  {
    plugin: 'jose',
    packages: 'jose',
    config: async () => ({ ...signing, jwks: await startHttps('keys', certificates, answerKeys) }),
    checks: {
      hmac: { HS256: 1, HS384: 1, HS512: 1 },
      roundTrips: Object.fromEntries(
        ['RS256', 'RS512', 'PS256', 'PS384', 'ES256', 'ES384', 'ES512', 'EdDSA'].map((alg) => [
          alg,
          alg,
        ]),
      ),
      pem: 'me',
      certificate: 'user-1',
      remoteKeys: 'user-1',
      forged: {
        name: 'JWSSignatureVerificationFailed',
        message: 'signature verification failed',
      },
    },
  },
  {
    plugin: 'xml',
    packages: 'fast-xml-parser',
    config: async () => ({}),
    checks: {
      parse: {
        '?xml': { '@_version': '1.0' },
        '#comment': ' a comment ',
        list: {
          item: [
            { '#cdata': '<raw> & -->', '@_id': '1' },
            { '#text': 'b & c', '@_id': '2' },
          ],
          '#comment': ' <item id="no"/> ',
          '@_count': '2',
        },
      },
      build: '<a id="1">\n  <!-- said -->\n  <![CDATA[x < y]]>\n  <b>1</b>\n  <b>2</b>\n</a>\n',
      roundTrip: (text: string) =>
        assert.match(text, /<!-- a comment -->.*<!\[CDATA\[<raw> & -->\]\]>/),
      invalid: 'InvalidTag',
    },
  },
  {
    plugin: 'ldap',
    packages: 'ldapts',
    config: async () => {
      const { port, securePort } = await startSlapd(certificates)
      return {
        plain: `ldap://ldap.cloud.example:${port}`,
        secure: `ldaps://ldap.cloud.example:${securePort}`,
        closed: 'ldap://ldap.cloud.example:1',
      }
    },
    checks: {
      search: names,
      startTls: names,
      ldaps: names,
      large: 300_000,
      parallel: 40,
      wrongPassword: { name: 'InvalidCredentialsError', message: ' Code: 0x31' },
      refused: ({ message }: { message: string }) => assert.match(message, /ECONNREFUSED|refused/),
    },
  },
]

sdks.push({
  plugin: 'sockets',
  packages: 'node:net and node:tls',
  config: () => startEcho(certificates),
  checks: {
    tcp: 1_000_000,
    tls: 1_000_000,
    upgraded: [1_000_000, true, true],
    waits: ['127.0.0.1', true, 'open', 'closed'],
    refused: (message: string) => assert.match(message, /may not reach tcp:\/\/elsewhere\.example/),
    addresses: [4, 6, 0, 0, 6, 0],
  },
})

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

const bundles = new Map<string, Awaited<ReturnType<typeof bundleSdk>>>()
const configs = new Map<string, Record<string, unknown>>()
for (const { plugin, config } of sdks) {
  bundles.set(plugin, await bundleSdk(plugin))
  configs.set(plugin, await config())
}

await inEachTier((tier) => {
  for (const sdk of sdks) describe(sdk.packages, () => runChecks(tier, sdk))
})

function runChecks({ launcher }: Tier, { plugin, packages, checks }: Sdk): void {
  const network = openNetwork(plugin, certificates.authority)
  let running: SdkPlugin
  const start = async (t: TestContext) => {
    const bundle = bundles.get(plugin)
    assert.ok(bundle)
    const config = configs.get(plugin) ?? {}
    running = await startSdkPlugin(plugin, bundle, launcher, config, network.methods)
    const kilobytes = Math.round(bundle.code.length / 1000)
    t.diagnostic(`${packages}: ${kilobytes} kB, ready after ${Math.round(running.loadMs)} ms`)
  }
  test('is bundled as npm installed it and loads within the limits of any plugin', start)
  for (const [name, expected] of Object.entries(checks)) {
    test(`${name} comes out as its servers say`, async () => {
      const outcome = await running.check(name)
      if (typeof expected === 'function') expected(outcome)
      else assert.deepEqual(outcome, expected)
    })
  }
  test('nothing went wrong that nobody asked about', () => {
    assert.deepEqual(running.logged, [])
  })
  after(async () => {
    await running?.sandbox.stop()
    network.close()
  })
}
