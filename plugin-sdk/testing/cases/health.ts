import { asFogbowError } from '../../errors.ts'
import type { ConformanceCase } from '../conformance.ts'
import { casesOf, type Trial } from '../trial.ts'

/** `ok`, or the code of the error with which the check says what is wrong. */
async function outcomeOf(trial: Trial): Promise<string> {
  try {
    await trial.call('health.check')
    return 'ok'
  } catch (error) {
    await trial.refused('a check that finds something wrong', Promise.reject(error))
    return asFogbowError(error).code
  }
}

export function healthCases(trial: Trial): ConformanceCase[] {
  const test = casesOf('health')
  return [
    test('check succeeds, or says what an administrator has to set right', async () => {
      await outcomeOf(trial)
    }),
    test(
      'check says the same again after a restart',
      async () => {
        const before = await outcomeOf(trial)
        await trial.restart()
        const after = await outcomeOf(trial)
        if (after !== before) throw new Error(`it said ${before}, and after a restart ${after}`)
      },
      trial.noRestart,
    ),
  ]
}
