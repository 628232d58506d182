import type { OrderReport } from '../member-connector.ts'
import type { Order } from '../order.ts'
import { factsOf, isOutdated, isUntold, mirroredState } from '../report.ts'
import { isBeingDeleted, isChanging, type OrderState } from '../states.ts'
import type { Step } from '../step.ts'
import type { MemberBench } from './member-bench.ts'
import { healthPause, progressPause, retryPause } from './processor.ts'

/**
 * The step that follows from what the provider reports, whether it was asked or told by itself.
 * @param observedAt - when the provider looked at its cloud, if it did so for this report
 */
export function mirror(
  order: Order,
  report: OrderReport,
  bench: MemberBench,
  observedAt?: number,
): Step {
  if (isOutdated(order, report)) return { dueInMs: pauseIn(order, order.state, bench) }
  const to = mirroredState(order, report.state)
  const state = to ?? order.state
  const step: Step = {
    facts: factsOf(order, report, observedAt),
    dueInMs: pauseIn(to ? { ...order, attempts: 0 } : order, state, bench),
    counts: !isUntold(order),
  }
  if (to) step.to = to
  if (!isBeingDeleted(state)) step.faultMessage = report.faultMessage ?? null
  return step
}

/** Pause before asking the provider again, if it does not tell before. */
export function pauseIn(order: Order, state: OrderState, bench: MemberBench): number | null {
  if (state === 'CLOSED' || state === 'FAILED_ON_REQUEST') return null
  if (isUntold({ ...order, state })) return retryPause(order, bench)
  const isMoving = state === 'PENDING' || state === 'SPAWNING' || isChanging(state)
  const isTold = bench.members.tellsChanges(order.provider)
  if ((isMoving || isBeingDeleted(state)) && !isTold) return progressPause(order, bench)
  if (state === 'UNABLE_TO_CHECK_STATUS' && !isTold) return retryPause(order, bench)
  return healthPause(order.attempts, bench)
}
