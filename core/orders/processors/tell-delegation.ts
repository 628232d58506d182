import { asFogbowError } from '@fogbow/plugin-sdk'
import { whyNoWork } from '../delegation.ts'
import type { Order } from '../order.ts'
import { isBeingDeleted } from '../states.ts'
import type { Step } from '../step.ts'
import type { MemberBench } from './member-bench.ts'
import { mayStillAppear, retryPause } from './processor.ts'

/**
 * What its owner revoked, or granted anew, is told to the provider of an order before anything else, until the provider
 * has heard it. A provider that was not asked yet is told once it has the order.
 * @returns undefined when there is nothing to tell
 */
export async function tellDelegation(order: Order, bench: MemberBench): Promise<Step | undefined> {
  const { delegation } = order
  if (!delegation || delegation.number <= order.delegationTold) return undefined
  const stopped = whyNoWork(order, bench.now())
  const isThere = order.generation !== null
  if (order.requestOutcome === 'never asked' || isBeingDeleted(order.state)) return undefined
  if (!isThere && stopped === undefined) return undefined
  const facts = { delegationTold: delegation.number }
  try {
    await bench.members.setDelegation(order, delegation)
    return { facts, dueInMs: 0 }
  } catch (error) {
    const { outcome, message } = asFogbowError(error)
    // One that does not know the order may still get it; one that does not know delegations never will.
    if (outcome === 'refused' && mayStillAppear(order, bench) === 0) return { facts, dueInMs: 0 }
    const problem = `Provider '${order.provider}' was not told yet: ${message}`
    return {
      faultMessage: stopped ? `${stopped}. ${problem}` : problem,
      dueInMs: retryPause(order, bench),
      counts: true,
    }
  }
}
