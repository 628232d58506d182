import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance.ts'
import { casesOf, type Trial } from '../trial.ts'

const anybody = {
  id: 'conformance-user',
  identityProviderId: 'conformance-site',
  name: 'Conformance',
  roles: [],
}

export function federationToLocalMapperCases(trial: Trial): ConformanceCase[] {
  const test = casesOf('federationToLocalMapper')
  const { user = anybody, stranger } = trial.samples
  const getToken = (whom: typeof user) =>
    trial.call<Record<string, unknown>>('federationToLocalMapper.getToken', whom)
  return [
    test('a user with an account gets a token, and gets it again', async () => {
      assert.equal(typeof (await getToken(user)), 'object')
      assert.equal(typeof (await getToken(user)), 'object')
    }),
    test(
      'a user with an account gets a token after a restart',
      async () => {
        const before = Object.keys(await getToken(user))
        await trial.restart()
        assert.deepEqual(Object.keys(await getToken(user)), before, 'its fields differ')
      },
      trial.noRestart,
    ),
    test(
      'a user without an account is refused with unauthorized',
      async () => {
        if (stranger) await trial.refused('a stranger', getToken(stranger), ['unauthorized'])
      },
      stranger ? undefined : 'samples.stranger is not given',
    ),
  ]
}
