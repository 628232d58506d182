import fc from 'fast-check'
import type { Fate } from './fake-network.ts'

/** What servers make of a stanza: it is carried at once, lost, late, or doubled, and so they come in any order. */
export const fates: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ arrivals: [1] }) },
  { weight: 2, arbitrary: fc.constant({ arrivals: [] }) },
  { weight: 2, arbitrary: fc.nat(30_000).map((ms) => ({ arrivals: [ms] })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(2000), fc.nat(1_200_000))
      .map(([soon, late]) => ({ arrivals: [soon, late] })),
  },
)
