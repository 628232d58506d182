import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { base64url, exportSPKI, generateKeyPair, importJWK, type JWTPayload, SignJWT } from 'jose'
import { type PluginUnderTest, REDIRECT_URI, startOidc } from './support/oidc-plugin.ts'
import {
  AUDIENCE,
  MACHINE,
  OPAQUE_MACHINE,
  OPAQUE_RESOURCE,
  type RunningProvider,
  SITE_CLIENT,
  startOidcProvider,
} from './support/oidc-provider.ts'

/** Which access tokens of the real provider are tokens of the site, and which never. */

let provider: RunningProvider
let oidc: PluginUnderTest
before(async () => {
  provider = await startOidcProvider({ redirectUris: [REDIRECT_URI] })
  oidc = await startOidc(provider)
})
after(() => provider.close())

const refused = { code: 'unauthenticated' }
const accessToken = { typ: 'at+jwt' }
const nowSeconds = () => Math.floor(oidc.host.clock.now() / 1000)

function claims(changes: JWTPayload = {}): JWTPayload {
  const now = nowSeconds()
  return {
    iss: provider.issuer,
    aud: AUDIENCE,
    sub: 'ana',
    client_id: 'some-app',
    iat: now,
    exp: now + 300,
    ...changes,
  }
}

/** An access token that the provider itself gives to a machine. */
async function granted(
  { clientId, clientSecret } = MACHINE,
  resource: string | undefined = AUDIENCE,
): Promise<string> {
  const response = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)}`,
    },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      ...(resource && { resource, scope: 'compute' }),
    }),
  })
  const { access_token: token } = (await response.json()) as { access_token: string }
  assert.equal(response.status, 200)
  return token
}

async function revoke(token: string): Promise<void> {
  const { clientId, clientSecret } = OPAQUE_MACHINE
  const response = await fetch(`${provider.issuer}/token/revocation`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)}`,
    },
    body: new URLSearchParams({ token }),
  })
  assert.equal(response.status, 200)
}

test('an access token of the provider for this site is a token of this site', async () => {
  const token = await oidc.accept(await granted())
  assert.equal(token.id, 'client:robot')
  assert.equal(token.identityProviderId, provider.issuer)
})

test('a token that the provider signed for a user carries his roles', async () => {
  const signed = await provider.sign(
    claims({ realm_access: { roles: ['cloud-users', 'unknown'] } }),
    accessToken,
  )
  const token = await oidc.accept(signed)
  assert.deepEqual([token.id, token.roles], ['ana', ['user']])
})

const strange: [what: string, changes: () => JWTPayload][] = [
  ['another issuer', () => ({ iss: 'https://other.example' })],
  ['another audience', () => ({ aud: 'https://another-site.example/api' })],
  ['no audience', () => ({ aud: undefined as unknown as string })],
  ['an end that is over', () => ({ iat: nowSeconds() - 900, exp: nowSeconds() - 31 })],
  ['no end', () => ({ exp: undefined as unknown as number })],
  ['a beginning that is not yet', () => ({ nbf: nowSeconds() + 31 })],
  ['a holder’s key', () => ({ cnf: { jkt: 'thumbprint' } })],
  ['nobody', () => ({ sub: '', client_id: undefined })],
]

for (const [what, changes] of strange) {
  test(`a token with ${what} is refused`, async () => {
    await assert.rejects(oidc.accept(await provider.sign(claims(changes()), accessToken)), refused)
  })
}

test('clocks may differ by as much as is configured, and by no more', async () => {
  const early = await provider.sign(claims({ nbf: nowSeconds() + 25 }), accessToken)
  await oidc.accept(early)
  const exact = await startOidc(provider, { clockToleranceSeconds: 0 })
  await assert.rejects(exact.accept(early), refused)
  await exact.host.clock.advance(26_000)
  await exact.accept(early)
  await exact.host.clock.advance(300_000)
  await assert.rejects(exact.accept(early), refused)
})

test('a token that says it needs no signature is refused', async () => {
  const part = (value: object) => base64url.encode(JSON.stringify(value))
  for (const alg of ['none', 'None', 'NONE', ''])
    await assert.rejects(
      oidc.accept(`${part({ alg, typ: 'at+jwt' })}.${part(claims())}.`),
      refused,
      alg,
    )
})

test('a token that was signed with the public key as a secret is refused', async () => {
  const jwk = provider.publicKey()
  const pem = await exportSPKI((await importJWK(jwk, 'RS256', { extractable: true })) as CryptoKey)
  for (const secret of [pem, JSON.stringify(jwk), String(jwk.n)])
    for (const typ of ['at+jwt', 'fogbow-session+jwt']) {
      const forged = await new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', typ, kid: String(jwk.kid) })
        .sign(new TextEncoder().encode(secret))
      await assert.rejects(oidc.accept(forged), refused)
    }
})

test('an algorithm that is not among those allowed is refused, also when the key is right', async () => {
  const token = await granted()
  const pinned = await startOidc(provider, { algorithms: ['ES256', 'PS256'] })
  await assert.rejects(pinned.accept(token), refused)
  await assert.rejects(pinned.logIn('ana'), refused)
  await oidc.accept(token)
})

test('a token that was changed, or that somebody else signed, is refused', async () => {
  const token = await granted()
  const [header = '', payload = '', signature = ''] = token.split('.')
  const promoted = base64url.encode(JSON.stringify(claims({ sub: 'admin' })))
  await assert.rejects(oidc.accept(`${header}.${promoted}.${signature}`), refused)
  const { privateKey } = await generateKeyPair('RS256')
  const stranger = await new SignJWT(claims())
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: String(provider.publicKey().kid) })
    .sign(privateKey)
  await assert.rejects(oidc.accept(stranger), refused)
  const spare = signature.slice(0, -1) + (signature.endsWith('Q') ? 'R' : 'B')
  await assert.rejects(oidc.accept(`${header}.${payload}.${spare}`), refused)
})

test('an ID token is no access token, although the provider signed it for this very client', async () => {
  const idTokens = [
    claims({ aud: SITE_CLIENT.id, nonce: 'n' }),
    claims({ aud: SITE_CLIENT.id }),
    claims({ aud: [SITE_CLIENT.id, AUDIENCE], at_hash: 'h' }),
    claims({ aud: [SITE_CLIENT.id, AUDIENCE] }),
    claims({ typ: 'ID' }),
    claims({ typ: 'Refresh' }),
  ]
  for (const each of idTokens)
    await assert.rejects(oidc.accept(await provider.sign(each)), refused, JSON.stringify(each))
  await oidc.accept(await provider.sign(claims({ typ: 'Bearer' }), { typ: 'JWT' }))
})

test('without a configured audience no access token is taken', async () => {
  const closed = await startOidc(provider, {}, ['accessTokens'])
  await assert.rejects(closed.accept(await granted()), { ...refused, message: /takes no access/ })
})

test('who lacks a required claim has no good token either', async () => {
  const strict = await startOidc(provider, { claims: { require: [{ claim: 'department' }] } })
  await strict.accept(await provider.sign(claims({ department: 'physics' }), accessToken))
  const without = await provider.sign(claims(), accessToken)
  await assert.rejects(strict.accept(without), { ...refused, message: /department/ })
})

const asking = { audience: OPAQUE_RESOURCE, introspection: 'opaque', recheckSeconds: 30 } as const

test('an opaque token is shown to the provider, and ends here when it is revoked there', async () => {
  const opaque = await startOidc(provider, { accessTokens: asking })
  const token = await granted(OPAQUE_MACHINE, OPAQUE_RESOURCE)
  assert.ok(!token.includes('.'))
  assert.equal((await opaque.accept(token)).id, 'client:opaque-robot')
  provider.asked.length = 0
  await opaque.accept(token)
  assert.deepEqual(provider.asked, [], 'it was shown again within recheckSeconds')
  await revoke(token)
  await opaque.host.clock.advance(31_000)
  await assert.rejects(opaque.accept(token), { ...refused, message: /does not stand for it/ })
})

test('an opaque token for another audience, or made up, is refused', async () => {
  const opaque = await startOidc(provider, { accessTokens: { ...asking, audience: AUDIENCE } })
  const token = await granted(OPAQUE_MACHINE, OPAQUE_RESOURCE)
  await assert.rejects(opaque.accept(token), { ...refused, message: /not for this site/ })
  await assert.rejects(opaque.accept('made-up-and-opaque'), refused)
  await assert.rejects(oidc.accept(token), { ...refused, message: /cannot be read/ })
})

test('a token without audience is taken from the clients that are named, and from no other', async () => {
  const token = await granted(OPAQUE_MACHINE, '')
  const named = { ...asking, clients: [OPAQUE_MACHINE.clientId] }
  const trusting = await startOidc(provider, { accessTokens: named })
  assert.equal((await trusting.accept(token)).id, 'client:opaque-robot')
  const wary = await startOidc(provider, { accessTokens: { ...named, clients: ['another'] } })
  await assert.rejects(wary.accept(token), refused)
})

test('while the provider is down an opaque token is neither good nor bad, and the provider is named', async () => {
  const opaque = await startOidc(provider, { accessTokens: { ...asking, recheckSeconds: 0 } })
  const token = await granted(OPAQUE_MACHINE, OPAQUE_RESOURCE)
  await opaque.accept(token)
  provider.condition = 'down'
  try {
    await assert.rejects(opaque.accept(token), {
      code: 'unavailable_provider',
      message: new RegExp(provider.issuer),
    })
  } finally {
    provider.condition = 'up'
  }
  await opaque.accept(token)
})

const always = { audience: AUDIENCE, recheckSeconds: 30, introspection: 'always' } as const

test('where all tokens are shown to the provider, a signed one ends when it does not stand for it any more', async () => {
  // The provider of these tests keeps no signed tokens: what it would say of them is put in its mouth.
  let answer: object = { active: true }
  const send: typeof fetch = (url, options) =>
    String(url).includes('/introspection')
      ? Promise.resolve(Response.json(answer))
      : fetch(url, options)
  const asking = await startOidc(provider, { accessTokens: always }, [], send)
  const token = await granted()
  await asking.accept(token)
  answer = { active: false }
  await asking.accept(token)
  await asking.host.clock.advance(31_000)
  await assert.rejects(asking.accept(token), { ...refused, message: /does not stand for it/ })
  answer = { active: true, iss: 'https://other.example' }
  await assert.rejects(asking.accept(token), { ...refused, message: /another issuer/ })
})

test('a provider that cannot be asked about signed tokens is an administrator’s matter', async () => {
  const asking = await startOidc(provider, { accessTokens: always })
  await assert.rejects(asking.accept(await granted()), {
    code: 'configuration_error',
    message: /unsupported_token_type/,
  })
})

test('a token of the site ends when it says, and is good at no other site', async () => {
  const token = await oidc.logIn('ana')
  const elsewhere = await startOidc(provider)
  await assert.rejects(elsewhere.accept(token), refused)
  const patient = await startOidc(provider, { tokenLifetimeSeconds: 60 })
  const short = await patient.logIn('ana')
  await patient.accept(short)
  await patient.host.clock.advance(61_000)
  await assert.rejects(patient.accept(short), refused)
})
