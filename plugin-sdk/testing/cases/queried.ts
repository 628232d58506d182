import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance.ts'
import { casesOf, type Trial } from '../trial.ts'

interface Named {
  id: string
  name: string
}

/** How many of a list are read one by one. */
const MOST_READ = 20

export const imageCases = (trial: Trial) => listCases('image', 'getAllImages', 'getImage', trial)

export const specCases = (trial: Trial) => listCases('spec', 'getAllSpecs', 'getFlavor', trial)

function listCases(kind: string, all: string, one: string, trial: Trial): ConformanceCase[] {
  const test = casesOf(kind)
  const list = () => trial.call<Named[]>(`${kind}.${all}`, trial.localToken)
  const get = (id: string) => trial.call<Named>(`${kind}.${one}`, id, trial.localToken)
  return [
    test(`${all} lists each id once`, async () => {
      const ids = (await list()).map(({ id }) => id)
      assert.ok(ids.length > 0, 'the list is empty: nothing else can be tested')
      assert.equal(new Set(ids).size, ids.length, 'an id is listed twice')
    }),
    test(`${one} answers what ${all} lists`, async () => {
      for (const { id, name } of (await list()).slice(0, MOST_READ)) {
        const found = await get(id)
        assert.deepEqual({ id: found.id, name: found.name }, { id, name })
      }
    }),
    test(`${one} of something unknown says instance_not_found`, async () => {
      await trial.refused('an unknown id', get(`no-such-${crypto.randomUUID()}`), [
        'instance_not_found',
      ])
    }),
  ]
}

export function quotaCases(trial: Trial): ConformanceCase[] {
  return [
    casesOf('quota')('getUserQuota answers whole amounts, or -1 for unlimited', async () => {
      const quota = await trial.call<Record<string, Record<string, number>>>(
        'quota.getUserQuota',
        trial.localToken,
      )
      const amounts = Object.values(quota).flatMap((part) => Object.values(part))
      assert.ok(amounts.every((amount) => Number.isInteger(amount) && amount >= -1))
    }),
  ]
}
