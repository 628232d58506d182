import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Choice, PlacedWish } from './any-site.ts'
import { createBench, doubt, refusal, site, wish } from './testing/bench.ts'

/** What happens to one request to a site. */
type Event = 'taken' | 'refused' | 'request lost' | 'answer lost'
const event = fc.constantFrom<Event>('taken', 'refused', 'request lost', 'answer lost')

const LONGEST_DOUBT = 6
const names = ['site-a', 'site-b', 'site-c', 'site-d']

/** A site that makes one instance per order id, as the contract of clouds demands, and loses messages. */
function createSite(events: Event[]) {
  let has = false
  let turn = 0
  return {
    has: () => has,
    request(): void {
      const now = turn < LONGEST_DOUBT ? (events[turn] ?? 'taken') : has ? 'taken' : 'refused'
      turn += 1
      if (now === 'request lost') throw doubt()
      if (now === 'refused' && !has) throw refusal()
      has = true
      if (now === 'answer lost') throw doubt()
    },
  }
}

test('whatever sites answer or lose, an order ends with one instance or, refused by all, with none', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(event, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.boolean(), { maxLength: 12 }),
      async (scripts, pluginFails) => {
        const sites = new Map(
          scripts.map((script, index) => [names[index] as string, createSite(script)]),
        )
        const { begin, moveOn, bench } = createBench([...sites.keys()].map((id) => site(id)))
        let order = placed(await begin(wish))
        const rank = bench.rank
        const left = [...pluginFails]
        bench.rank = async (candidates) => {
          if (left.shift()) throw doubt()
          return rank(candidates)
        }
        const instances = () => [...sites.values()].filter(({ has }) => has()).length
        for (;;) {
          try {
            sites.get(order.provider)?.request()
            assert.equal(instances(), 1)
            return
          } catch (error) {
            if (error instanceof assert.AssertionError) throw error
            const move = await moveOn(order, error as ReturnType<typeof refusal>)
            if (move.to === 'nowhere') {
              assert.equal(instances(), 0)
              assert.equal(move.considered.length, sites.size)
              return
            }
            if (move.to === 'next') order = placed(move)
          }
        }
      },
    ),
    { numRuns: 500 },
  )
})

function placed({ place, considered }: Choice): PlacedWish {
  return { ...wish, provider: place.provider, considered }
}
