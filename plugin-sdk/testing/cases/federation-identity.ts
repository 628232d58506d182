import assert from 'node:assert/strict'
import { asFogbowError } from '../../errors.ts'
import type { ConformanceCase } from '../conformance.ts'
import { casesOf, type Trial } from '../trial.ts'
import { noToken, readToken, tokenValueOf } from './login.ts'

export function federationIdentityCases(trial: Trial): ConformanceCase[] {
  const test = casesOf('federationIdentity')
  return [
    test(
      'a token is read as a user, who carries the token with him',
      async () => {
        const tokenValue = await tokenValueOf(trial)
        const user = await readToken(trial, tokenValue)
        assert.equal(user.tokenValue, tokenValue, 'tokenValue is not the text that was read')
        assert.deepEqual(await readToken(trial, tokenValue), user, 'read again, it differs')
      },
      noToken(trial),
    ),
    test(
      'a token with strange claims is read or refused, and is never a failure',
      async () => {
        for (const text of strangeTokens(await tokenValueOf(trial)))
          await readToken(trial, text).catch((error) =>
            assert.equal(asFogbowError(error).code, 'unauthenticated', `${text}: ${error.message}`),
          )
      },
      noToken(trial),
    ),
    test('what is no token is refused with unauthenticated', async () => {
      for (const text of ['x', 'a.b.c', '{}', '..', 'e30.e30.e30', '🐦', 'x'.repeat(16384)])
        await trial.refused(`'${text.slice(0, 20)}'`, readToken(trial, text), ['unauthenticated'])
    }),
  ]
}

const strangeValues = [null, 5, -1, 1e300, '', 'x'.repeat(2000), [5], ['x'.repeat(2000)], { a: {} }]

/** Of a JWS: each of its claims replaced by something else. Nobody has signed them, but they must be read first. */
function strangeTokens(tokenValue: string): string[] {
  const [header, payload, signature] = tokenValue.split('.')
  const claims =
    payload && signature ? readObject(Buffer.from(payload, 'base64url').toString()) : {}
  const strange = Object.keys(claims).flatMap((claim) =>
    strangeValues.map((value) => ({ ...claims, [claim]: value })),
  )
  return strange.map((changed) => {
    const text = Buffer.from(JSON.stringify(changed)).toString('base64url')
    return `${header}.${text}.${signature}`
  })
}

function readObject(text: string): object {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}
