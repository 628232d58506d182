import { FogbowError } from '@fogbow/plugin-sdk'

/** Lets so many run at once for each key; others wait for their turn. */
export interface Turns {
  /** @throws too_many_requests when too many wait for that key already */
  take<Result>(key: string, run: () => Promise<Result>): Promise<Result>
}

export function createTurns(atOnce: number, mostWaiting: number): Turns {
  const keys = new Map<string, { running: number; waiting: (() => void)[] }>()

  function end(key: string): void {
    const turn = keys.get(key)
    if (!turn) return
    const next = turn.waiting.shift()
    if (next) next()
    else if (turn.running === 1) keys.delete(key)
    else turn.running -= 1
  }

  return {
    async take(key, run) {
      const turn = keys.get(key) ?? { running: 0, waiting: [] }
      keys.set(key, turn)
      if (turn.running < atOnce) turn.running += 1
      else if (turn.waiting.length < mostWaiting)
        await new Promise<void>((resolve) => turn.waiting.push(resolve))
      else throw tooMany()
      try {
        return await run()
      } finally {
        end(key)
      }
    },
  }
}

function tooMany(): FogbowError {
  const details = { retryAfterSeconds: 5 }
  return new FogbowError('too_many_requests', 'Too many log-ins at once. Try again in 5 s', {
    details,
  })
}
