import assert from 'node:assert/strict'
import type { Credentials } from '../../contracts/shapes.ts'
import type { ConformanceCase } from '../conformance.ts'
import { casesOf, type Trial } from '../trial.ts'
import { logIn, noLogin } from './login.ts'

export function tokenGeneratorCases(trial: Trial): ConformanceCase[] {
  const test = casesOf('tokenGenerator')
  const skip = noLogin(trial)
  const right = trial.samples.credentials ?? {}
  const refused = (credentials: Credentials) =>
    trial.refused('a login', logIn(trial, credentials), ['unauthenticated'])
  return [
    test(
      'the right credentials give a token that fits into an HTTP header',
      async () => {
        assert.match(await logIn(trial, right), /^[\x21-\x7e]+$/)
      },
      skip,
    ),
    test(
      'wrong credentials are refused with unauthenticated, and nobody learns which part was wrong',
      async () => {
        const messages = new Set<string>()
        for (const credentials of wrongOnes(trial, right))
          messages.add((await refused(credentials)).message)
        assert.equal(messages.size, 1, `messages differ: ${[...messages].join(' / ')}`)
      },
      skip,
    ),
    test(
      'credentials with an empty or a missing part are refused',
      async () => {
        await trial.refused('a login without credentials', logIn(trial, {}))
        for (const name of Object.keys(right)) {
          await trial.refused(`an empty ${name}`, logIn(trial, { ...right, [name]: '' }))
          const { [name]: _, ...rest } = right
          await trial.refused(`a missing ${name}`, logIn(trial, rest))
        }
      },
      skip,
    ),
  ]
}

function wrongOnes(trial: Trial, right: Credentials): readonly Credentials[] {
  return (
    trial.samples.wrongCredentials ??
    Object.keys(right).map((name) => ({ ...right, [name]: `${right[name]}x` }))
  )
}
