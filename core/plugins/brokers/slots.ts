import { FogbowError } from '@fogbow/plugin-sdk'

/** So many of something at once, so many waiting for it, and no more. */
export interface Slots {
  /**
   * Resolves when there is room; call the result once to make room for the next.
   * @throws too_many_requests when enough are waiting; the signal's reason when it aborts meanwhile
   */
  take(signal?: AbortSignal): Promise<() => void>
}

/** @param what - what there is too much of, for messages */
export function createSlots(most: number, mostWaiting: number, what: string): Slots {
  let taken = 0
  const waiting = new Set<() => void>()

  function release(): void {
    const [next] = waiting
    if (!next) taken -= 1
    else {
      waiting.delete(next)
      next()
    }
  }

  function once(): () => void {
    let open = true
    return () => {
      if (open) release()
      open = false
    }
  }

  function wait(signal: AbortSignal | undefined): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal?.removeEventListener('abort', leave)
        resolve(once())
      }
      const leave = () => {
        waiting.delete(enter)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      waiting.add(enter)
    })
  }

  return {
    async take(signal) {
      signal?.throwIfAborted()
      if (taken < most) {
        taken += 1
        return once()
      }
      if (waiting.size < mostWaiting) return wait(signal)
      const allowed =
        mostWaiting > 0 ? `${most} at once and ${mostWaiting} waiting` : `${most} at once`
      throw new FogbowError('too_many_requests', `${what}: ${allowed} is all that is allowed`, {
        details: { retryAfterSeconds: 1 },
      })
    },
  }
}
