import { asFogbowError, type FogbowError } from '@fogbow/plugin-sdk'
import type { OrderReport } from '../member-connector.ts'
import type { Order } from '../order.ts'
import { factsOf, isUndecided, refusesAnywhere } from '../report.ts'
import type { Facts, Step } from '../step.ts'
import { nextState } from '../transitions.ts'
import type { MemberBench, MemberProcessor } from './member-bench.ts'
import { mirror } from './mirror.ts'
import { healthPause, retryPause } from './processor.ts'
import { decide, follow } from './refuse.ts'

/** Any state in which the provider has the order and nothing is asked of it: follows what it reports. */
export const lookAtMember: MemberProcessor = async (order, bench) => {
  let report: OrderReport
  try {
    report = await ask(order, bench)
  } catch (cause) {
    const error = asFogbowError(cause)
    if (error.code !== 'instance_not_found') return unseen(order, error, bench)
    return isUndecided(order) ? moveOn(order, error.message, {}, bench) : lost(order, error, bench)
  }
  const observedAt = bench.isRead ? bench.now() : undefined
  if (!refusesAnywhere(order, report)) return mirror(order, report, bench, observedAt)
  const reason = report.faultMessage ?? `${order.provider} refused it`
  return moveOn(order, reason, factsOf(order, report), bench)
}

/** A provider looks at its cloud by itself, often enough: only for somebody who reads is it asked to do so now. */
async function ask(order: Order, { isRead, members }: MemberBench): Promise<OrderReport> {
  return isRead ? members.getInstance(order) : members.getOrder(order)
}

/** The provider says that it does not have the order. It may be wrong, so that it is asked again, rarely. */
function lost(order: Order, error: FogbowError, bench: MemberBench): Step {
  return {
    to: 'FAILED_AFTER_SUCCESSFUL_REQUEST',
    faultMessage: `${order.provider} does not have it any more: ${error.message}`,
    dueInMs: healthPause(order.attempts, bench),
    counts: true,
  }
}

/** Silence says nothing about the instance. */
function unseen(order: Order, error: FogbowError, bench: MemberBench): Step {
  const to = nextState(order.state, 'unreachable')
  return {
    ...(to && { to }),
    faultMessage: `${order.provider} does not answer: ${error.message}`,
    dueInMs: retryPause(order, bench, error),
    counts: true,
  }
}

/**
 * The provider took the order and its cloud refused it: what is left there is deleted before the next is asked. When this
 * site dies in between, it finds the order deleted there and goes on from that.
 */
async function moveOn(
  order: Order,
  reason: string,
  facts: Facts,
  bench: MemberBench,
): Promise<Step> {
  const move = await decide(order, reason, bench)
  if (move.to !== 'next') return follow(order, move, facts, bench)
  try {
    await bench.members.deleteOrder(order)
  } catch (cause) {
    const error = asFogbowError(cause)
    if (error.code !== 'instance_not_found') return notForgotten(order, error, bench)
  }
  return follow(order, move, facts, bench)
}

function notForgotten(order: Order, error: FogbowError, bench: MemberBench): Step {
  return {
    faultMessage: `${order.provider} refused it and did not forget it yet: ${error.message}`,
    dueInMs: retryPause(order, bench, error),
    counts: true,
    ...(error.outcome === 'refused' && { facts: { refusals: order.refusals + 1 } }),
  }
}
