import assert from 'node:assert/strict'
import type { FederationUserToken } from '../../contracts/shapes.ts'
import { asFogbowError } from '../../errors.ts'
import type { ConformanceCase } from '../conformance.ts'
import { casesOf, type Trial } from '../trial.ts'
import { noToken, readToken, tokenValueOf } from './login.ts'

export function authenticationCases(trial: Trial): ConformanceCase[] {
  const reader = trial.offers('federationIdentity.getFederationUserToken')
    ? undefined
    : 'the plugin offers no federationIdentity'
  const skip = reader ?? noToken(trial)
  const test = (
    name: string,
    run: (token: FederationUserToken) => Promise<void>,
    why: string | undefined = skip,
  ) =>
    casesOf('authentication')(
      name,
      async () => run(await readToken(trial, await tokenValueOf(trial))),
      why,
    )
  const mustFail = async (what: string, token: FederationUserToken) =>
    assert.equal(await isAuthentic(trial, token), false, `${what} is taken for authentic`)

  return [
    test('a token of the site is authentic', async (token) => {
      assert.equal(await isAuthentic(trial, token), true)
    }),
    test('a user whose fields differ from those signed is not authentic', async (token) => {
      for (const [field, value] of Object.entries(altered(token)))
        await mustFail(`a token with another ${field}`, { ...token, [field]: value })
    }),
    test('a token whose text was changed is not authentic', async (token) => {
      for (const tokenValue of forgeries(token.tokenValue))
        await mustFail(`the text ${tokenValue.slice(0, 60)}…`, { ...token, tokenValue })
    }),
    test(
      'a token is authentic after a restart',
      async (token) => {
        await trial.restart()
        assert.equal(await isAuthentic(trial, token), true)
      },
      skip ?? trial.noRestart,
    ),
    test(
      'a token that has expired is not authentic',
      async (token) => {
        await untilExpired(trial, token)
        await mustFail('an expired token', token)
      },
      skip ?? trial.noAdvance,
    ),
  ]
}

/** False also when the plugin throws `unauthenticated`; any other error is a fault. */
async function isAuthentic(trial: Trial, token: FederationUserToken): Promise<boolean> {
  try {
    return await trial.call('authentication.isAuthentic', token)
  } catch (error) {
    if (asFogbowError(error).code === 'unauthenticated') return false
    throw error
  }
}

/** Each signed field with another value. */
function altered(token: FederationUserToken): Partial<FederationUserToken> {
  return {
    id: `${token.id}x`,
    identityProviderId: `${token.identityProviderId}x`,
    name: `${token.name}x`,
    roles: [...token.roles, 'conformance'],
    attributes: { ...token.attributes, conformance: 'x' },
    expiresAt: token.expiresAt + 1000,
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/**
 * Texts with one character changed; with a bit changed that base64 ignores (else a revoked token lives on under
 * another text); cut; and unsigned, if it is a JWS.
 */
function forgeries(text: string): string[] {
  const places = [0.1, 0.3, 0.5, 0.7, 0.9].map((part) => Math.floor(text.length * part))
  const changed = places.map((at) => {
    const other = text[at] === 'A' ? 'B' : 'A'
    return text.slice(0, at) + other + text.slice(at + 1)
  })
  const last = alphabet.indexOf(text.at(-1) ?? '')
  const spareBit = last < 0 ? [] : [text.slice(0, -1) + alphabet[last ^ 1]]
  const [header, payload, signature] = text.split('.')
  const unsigned = btoa('{"alg":"none"}').replaceAll('=', '')
  const asJws = signature ? [`${header}.${payload}.`, `${unsigned}.${payload}.`] : []
  return [...changed, ...spareBit, text.slice(0, -4), ...asJws]
}

/** The clock cannot be read from here, so it is moved beyond any expiry that the token may have. */
async function untilExpired(trial: Trial, token: FederationUserToken): Promise<void> {
  const startOfTime = Date.UTC(2020, 0, 1)
  await trial.advance(Math.max(token.expiresAt - startOfTime, 0))
}
