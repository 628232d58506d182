import assert from 'node:assert/strict'
import type { FederationUser, Operation } from '../../contracts/shapes.ts'
import { asFogbowError } from '../../errors.ts'
import type { ConformanceCase } from '../conformance.ts'
import { casesOf, type Trial } from '../trial.ts'

interface Question {
  user: FederationUser
  operation: Operation
  type: string
}

const user: FederationUser = {
  id: 'conformance-user',
  identityProviderId: 'conformance-site',
  name: 'Conformance',
  roles: [],
}
const place = { provider: 'conformance-site', requester: 'conformance-site', cloud: 'conformance' }

/** An order of somebody else: the same name at another site, and another name at the same site. */
const strangers = [
  { id: 'somebody-else', identityProviderId: user.identityProviderId },
  { id: user.id, identityProviderId: 'another-site' },
]

const foreign: Question[] = ['get', 'delete'].flatMap((name) =>
  strangers.map((owner) => ({
    user,
    type: 'COMPUTE',
    operation: { ...place, name, owner },
  })),
)

export function authorizationCases(trial: Trial): ConformanceCase[] {
  const test = casesOf('authorization')
  const { allowed = [], denied = [], policy } = trial.samples
  return [
    test('what a user does to the order of somebody else is denied', async () => {
      for (const question of foreign) await mustBe(trial, question, false)
    }),
    test(
      'what the samples allow is allowed',
      async () => {
        for (const question of allowed) await mustBe(trial, question, true)
      },
      allowed.length ? undefined : 'samples.allowed is not given',
    ),
    test(
      'what the samples deny is denied',
      async () => {
        for (const question of denied) await mustBe(trial, question, false)
      },
      denied.length ? undefined : 'samples.denied is not given',
    ),
    ...['setPolicy', 'updatePolicy']
      .filter((method) => trial.offers(`authorization.${method}`))
      .flatMap((method) => policyCases(method, [...foreign, ...allowed, ...denied], policy, trial)),
  ]
}

function policyCases(
  method: string,
  questions: Question[],
  policy: string | undefined,
  trial: Trial,
): ConformanceCase[] {
  const test = casesOf('authorization')
  const send = (text: string) => trial.call(`authorization.${method}`, text)
  const answers = () => Promise.all(questions.map((question) => decide(trial, question)))
  return [
    test(`${method} refuses what is no policy, and changes nothing`, async () => {
      const before = await answers()
      for (const text of ['', 'x', '{', '<policy>', '[]', '{"conformance": 1}'])
        await trial.refused(`the policy '${text}'`, send(text), [
          'configuration_error',
          'invalid_parameter',
        ])
      assert.deepEqual(await answers(), before, 'a refused policy changed what is allowed')
    }),
    test(
      `${method} takes a policy, which holds after a restart`,
      async () => {
        await send(policy ?? '')
        const before = await answers()
        await trial.restart()
        assert.deepEqual(await answers(), before, 'after a restart the answers differ')
      },
      policy === undefined ? 'samples.policy is not given' : trial.noRestart,
    ),
  ]
}

async function mustBe(trial: Trial, question: Question, expected: boolean): Promise<void> {
  const { operation, type, user } = question
  const what = `${operation.name} ${type} by '${user.id}' of '${user.identityProviderId}'`
  const answer = await decide(trial, question)
  assert.equal(answer, expected, `${what} is ${answer ? 'allowed' : 'denied'}`)
}

/** Denied is false, or `unauthorized` thrown. */
async function decide(trial: Trial, { user, operation, type }: Question): Promise<boolean> {
  try {
    return await trial.call('authorization.isAuthorized', user, operation, type)
  } catch (error) {
    if (asFogbowError(error).code === 'unauthorized') return false
    throw error
  }
}
