import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Attack, openEffectsOf, outcomeOf } from './attack.ts'
import { createPrey } from './prey.ts'
import { inEachTier } from './tiers.ts'

/** One test per attack and tier, and one that the attacks marked `open` work where there is no wall. */
export async function testAttacks(attacks: readonly Attack[]): Promise<void> {
  const prey = await createPrey()
  await inEachTier((tier) => {
    test('a plugin that attacks nothing runs', async () => {
      const outcome = await outcomeOf(tier, prey, { by: 'nothing', code: '' })
      assert.deepEqual(outcome, { ran: true, effects: [] })
    })

    for (const attack of attacks) {
      test(`nothing is reached by ${attack.by}`, async () => {
        const outcome = await outcomeOf(tier, prey, attack)
        assert.deepEqual(outcome, { ran: !attack.refused, effects: [] })
      })
    }
  })
  describe('in a thread without walls', () => {
    for (const attack of attacks.filter(({ open }) => open)) {
      test(`something is reached by ${attack.by}`, async () => {
        assert.notDeepEqual(await openEffectsOf(prey, attack), [])
      })
    }
  })
}
