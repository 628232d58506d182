import { mayGoAnywhere, type Order } from '../order.ts'
import type { Facts, Step } from '../step.ts'
import type { Elsewhere, Workbench } from './processor.ts'

/** The order was refused for good: it goes to the next site, if it may go to any, or has failed. */
export async function refuse(
  order: Order,
  reason: string,
  facts: Facts,
  bench: Workbench,
): Promise<Step> {
  return follow(order, await decide(order, reason, bench), facts, bench)
}

export async function decide(order: Order, reason: string, bench: Workbench): Promise<Elsewhere> {
  if (mayGoAnywhere(order) && bench.placeElsewhere) return bench.placeElsewhere(order, reason)
  return { to: 'nowhere', message: reason, considered: order.considered ?? [] }
}

/** @param facts - what is true of the order when it has failed */
export function follow(order: Order, move: Elsewhere, facts: Facts, bench: Workbench): Step {
  // It does not count: nothing was left open by this attempt.
  if (move.to === 'same')
    return { faultMessage: move.message, dueInMs: bench.timing.longestCheckMs }
  const considered = mayGoAnywhere(order) ? { considered: move.considered } : {}
  if (move.to === 'nowhere') {
    return {
      to: 'FAILED_ON_REQUEST',
      facts: { ...facts, ...considered },
      faultMessage: move.message,
      dueInMs: null,
    }
  }
  return {
    to: 'OPEN',
    facts: { ...move.place, ...considered, requestOutcome: 'never asked', generation: null },
    faultMessage: null,
    dueInMs: 0,
  }
}
