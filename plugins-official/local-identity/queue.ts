import { FogbowError } from '@fogbow/plugin-sdk'

/** One after the other: each password check takes 32 MiB and more, and a storm of logins must not take them all at once. */
export interface Queue {
  /** @throws too_many_requests when too many wait already */
  run<Answer>(work: () => Promise<Answer>): Promise<Answer>
}

export function createQueue(mostWaiting: number): Queue {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return {
    async run(work) {
      if (waiting >= mostWaiting)
        throw new FogbowError('too_many_requests', 'too many logins at once; try again shortly', {
          details: { retryAfterSeconds: 5 },
        })
      waiting++
      const mine = last.then(work)
      last = mine.catch(() => undefined)
      try {
        return await mine
      } finally {
        waiting--
      }
    },
  }
}
