import { asFogbowError } from '@fogbow/plugin-sdk'
import type { Order } from '../order.ts'
import { factsOf } from '../report.ts'
import { isBeingDeleted, isOrderState } from '../states.ts'
import type { Step } from '../step.ts'
import type { MemberBench, MemberProcessor } from './member-bench.ts'
import { pauseIn } from './mirror.ts'
import { retryPause } from './processor.ts'

const closed: Step = { to: 'CLOSED', dueInMs: null }

/** ASSIGNED_FOR_DELETION: asks the provider for the deletion until it takes it, or has nothing to delete. */
export const deleteAtMember: MemberProcessor = async (order, bench) => {
  if (order.requestOutcome === 'never asked') return closed
  if (order.requestOutcome === 'unknown') return settleRequest(order, bench)
  try {
    await bench.members.deleteOrder(order)
    return { to: 'CHECKING_DELETION', faultMessage: null, dueInMs: 0 }
  } catch (cause) {
    return notYet(order, cause, bench)
  }
}

/**
 * A request whose outcome nobody saw may reach the provider after the deletion, and leave an instance that nobody owns.
 * It is asked for again, which makes no second one, and only then deleted.
 */
async function settleRequest(order: Order, bench: MemberBench): Promise<Step> {
  try {
    const report = await bench.members.createOrder(order)
    return { facts: factsOf(order, report), dueInMs: 0 }
  } catch (cause) {
    return asFogbowError(cause).outcome === 'refused' ? closed : notYet(order, cause, bench)
  }
}

/** CHECKING_DELETION: closes the order once the provider has closed it. */
export const checkDeletionAtMember: MemberProcessor = async (order, bench) => {
  try {
    const { state } = await bench.members.getOrder(order)
    if (state === 'CLOSED') return closed
    const isUnderWay = isOrderState(state) && isBeingDeleted(state)
    if (isUnderWay)
      return { dueInMs: pauseIn(order, order.state, bench), counts: true, faultMessage: null }
    return await askAgain(order, bench)
  } catch (cause) {
    return notYet(order, cause, bench)
  }
}

/** The provider took the deletion and has the order nevertheless, such as from a copy of its store. */
async function askAgain(order: Order, bench: MemberBench): Promise<Step> {
  const anew = { ...order, refusals: order.refusals + 1 }
  await bench.members.deleteOrder(anew)
  return {
    facts: { refusals: anew.refusals },
    dueInMs: pauseIn(order, order.state, bench),
    counts: true,
  }
}

function notYet(order: Order, cause: unknown, bench: MemberBench): Step {
  const error = asFogbowError(cause)
  if (error.code === 'instance_not_found') return closed
  return {
    faultMessage: `Not deleted yet, trying again: ${error.message}`,
    dueInMs: retryPause(order, bench, error),
    counts: true,
    // What was refused is asked for as a new request next time.
    ...(error.outcome === 'refused' && { facts: { refusals: order.refusals + 1 } }),
  }
}
