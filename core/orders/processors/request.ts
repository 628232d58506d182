import { asFogbowError } from '@fogbow/plugin-sdk'
import { mayGoAnywhere, type Order } from '../order.ts'
import type { Step } from '../step.ts'
import { mayStillAppear, type Processor, retryPause, type Workbench } from './processor.ts'
import { refuse } from './refuse.ts'

/** The longest that a request may be on its way: what a plugin may take for it, and a little more. */
const CALL_REACH_MS = 150_000

/**
 * OPEN: notes that the cloud is about to be asked. Only then is it asked, so that a crash in between is seen later. One that
 * was asked before, without anybody seeing what came of it, is asked again when nothing can come of that any more.
 */
export const select: Processor = async (order, bench) => {
  const wait = mayStillAppear(order, bench)
  if (wait > 0) return { dueInMs: wait }
  return {
    to: 'SELECTED',
    facts: { requestOutcome: 'unknown', requestUntil: bench.now() + CALL_REACH_MS },
    dueInMs: 0,
  }
}

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
      if (order.attempts === 0)
        return refuse(order, error.message, { requestUntil: bench.now() }, bench)
      return refusedInDoubt(order, error.message, bench)
    }
    return {
      facts: { requestUntil: bench.now() + bench.timing.settleMs },
      faultMessage: `Not created yet, trying again: ${error.message}`,
      dueInMs: retryPause(order, bench, error),
      counts: true,
    }
  }
}

/**
 * Nothing came of this call; one before it that was not answered may still take effect. An order that may go elsewhere is
 * not let go until that is known: when it can come no more, the same cloud is asked once more, and answers with the instance
 * if there is one.
 */
function refusedInDoubt(order: Order, message: string, bench: Workbench): Step {
  const { settleMs } = bench.timing
  const facts = { requestUntil: bench.now() + settleMs }
  if (!mayGoAnywhere(order) || !bench.placeElsewhere)
    return { to: 'FAILED_ON_REQUEST', facts, faultMessage: message, dueInMs: null }
  const faultMessage = `Refused, and asked once more, since an earlier attempt may have succeeded: ${message}`
  return { to: 'OPEN', facts, faultMessage, dueInMs: settleMs }
}

/** What the store says must cover the call that is about to be made, in case nobody lives to see its outcome. */
function isOutdated(order: Order, bench: Workbench): boolean {
  return (
    order.requestUntil === null ||
    order.requestUntil < bench.now() + CALL_REACH_MS - bench.timing.settleMs
  )
}
