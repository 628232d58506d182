import { asFogbowError } from '@fogbow/plugin-sdk'
import type { Order } from '../order.ts'
import { actionOf, isChanging } from '../states.ts'
import type { Step } from '../step.ts'
import type { MemberBench, MemberProcessor } from './member-bench.ts'
import { lookAtMember } from './member-look.ts'
import { retryPause } from './processor.ts'

/** PAUSING, HIBERNATING, STOPPING, RESUMING: asks the provider until it answers, then follows it. */
export const actAtMember: MemberProcessor = async (order, bench) => {
  const isLate = bench.now() - order.stateSince > bench.timing.actionLimitMs
  if (order.attempts > 0) {
    const step = await lookAtMember(order, bench)
    return isLate && !step.to ? { ...step, to: 'UNABLE_TO_CHECK_STATUS' } : step
  }
  try {
    await bench.members.actOnOrder(order, actionOf[order.state] ?? '')
    return { dueInMs: 0, counts: true, faultMessage: null }
  } catch (cause) {
    const error = asFogbowError(cause)
    if (error.outcome === 'refused' || isLate) return giveUp(order, error.message, bench)
    return {
      faultMessage: `Trying again: ${error.message}`,
      dueInMs: retryPause(order, bench, error),
    }
  }
}

/** Ends the action: the order follows whatever the provider reports now. */
async function giveUp(order: Order, reason: string, bench: MemberBench): Promise<Step> {
  const step = await lookAtMember({ ...order, attempts: 1 }, bench)
  const to = step.to && !isChanging(step.to) ? step.to : 'UNABLE_TO_CHECK_STATUS'
  return {
    ...step,
    to,
    faultMessage: step.faultMessage ? `${reason}; ${step.faultMessage}` : reason,
  }
}
