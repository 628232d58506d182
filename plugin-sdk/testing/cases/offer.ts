import assert from 'node:assert/strict'
import { contracts } from '../../contracts/index.ts'
import type { ConformanceCase } from '../conformance.ts'
import { casesOf, type Trial } from '../trial.ts'

/** True of every kind. */
export function offerCases(kind: string, trial: Trial): ConformanceCase[] {
  const test = casesOf(kind)
  return [
    test('every required method is offered', async () => {
      const methods = Object.entries(contracts[kind]?.methods ?? {})
      assert.ok(methods.length > 0, `there is no kind '${kind}'`)
      const missing = methods
        .filter(([name, { optional }]) => !optional && !trial.offers(`${kind}.${name}`))
        .map(([name]) => name)
      assert.deepEqual(missing, [], `missing: ${missing.join(', ')}`)
    }),
  ]
}
