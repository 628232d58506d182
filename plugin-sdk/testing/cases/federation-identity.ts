import assert from 'node:assert/strict'
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
    test('what is no token is refused with unauthenticated', async () => {
      for (const text of ['x', 'a.b.c', '{}', '..', 'e30.e30.e30', '🐦', 'x'.repeat(16384)])
        await trial.refused(`'${text.slice(0, 20)}'`, readToken(trial, text), ['unauthenticated'])
    }),
  ]
}
