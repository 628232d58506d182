import { asFogbowError } from '@fogbow/plugin-sdk'
import type { Order } from '../order.ts'
import { type Processor, retryPause, type Workbench } from './processor.ts'
import { refuse } from './refuse.ts'

/** The longest that a request may be on its way: what a plugin may take for it, and a little more. */
const CALL_REACH_MS = 150_000

/** OPEN: notes that the cloud is about to be asked. Only then is it asked, so that a crash in between is seen later. */
export const select: Processor = async (_order, bench) => ({
  to: 'SELECTED',
  facts: { requestOutcome: 'unknown', requestUntil: bench.now() + CALL_REACH_MS },
  dueInMs: 0,
})

/**
 * SELECTED: asks the cloud. The order id makes it safe to ask again, which is what happens after every error that
 * leaves the outcome open, and after a crash.
 */
export const request: Processor = async (order, bench) => {
  if (isOutdated(order, bench)) {
    return { facts: { requestUntil: bench.now() + CALL_REACH_MS }, dueInMs: 0 }
  }
  try {
    const requested = await bench.connector.requestInstance(order)
    const facts = { instanceId: requested.instanceId, requestOutcome: 'known' } as const
    return {
      to: 'SPAWNING',
      facts: requested.allocation ? { ...facts, allocation: requested.allocation } : facts,
      faultMessage: null,
      dueInMs: 0,
    }
  } catch (cause) {
    const error = asFogbowError(cause)
    if (error.outcome === 'refused') {
      // Nothing came of this call; one before it that was not answered may still take effect.
      if (order.attempts === 0)
        return refuse(order, error.message, { requestUntil: bench.now() }, bench)
      return {
        to: 'FAILED_ON_REQUEST',
        facts: { requestUntil: bench.now() + bench.timing.settleMs },
        faultMessage: error.message,
        dueInMs: null,
      }
    }
    return {
      facts: { requestUntil: bench.now() + bench.timing.settleMs },
      faultMessage: `Not created yet, trying again: ${error.message}`,
      dueInMs: retryPause(order, bench),
      counts: true,
    }
  }
}

/** What the store says must cover the call that is about to be made, in case nobody lives to see its outcome. */
function isOutdated(order: Order, bench: Workbench): boolean {
  return (
    order.requestUntil === null ||
    order.requestUntil < bench.now() + CALL_REACH_MS - bench.timing.settleMs
  )
}
