import { asFogbowError } from '@fogbow/plugin-sdk'
import type { Order } from '../order.ts'
import { actionOf } from '../states.ts'
import { nextState } from '../transitions.ts'
import { follow, observeInstance } from './observe.ts'
import { type Processor, progressPause, retryPause, type Workbench } from './processor.ts'

/**
 * PAUSING, HIBERNATING, STOPPING, RESUMING: asks the cloud once, then watches. When the cloud refuses, or does not get
 * there in time, the order goes back to what the cloud reports, with the reason.
 */
export const act: Processor = async (order, bench) => {
  if (order.attempts === 0) return ask(order, bench)
  const observation = await observeInstance(order, bench)
  const to = observation.event && nextState(order.state, observation.event)
  if (to) return follow(order, observation, to, bench)
  if (bench.now() - order.stateSince > bench.timing.actionLimitMs) {
    return giveUp(order, `The cloud did not finish ${order.state} in time`, bench)
  }
  if (observation.error) {
    return {
      faultMessage: observation.error.message,
      dueInMs: retryPause(order, bench, observation.error),
      counts: true,
    }
  }
  return {
    ...(observation.facts && { facts: observation.facts }),
    dueInMs: progressPause(order, bench),
    counts: true,
  }
}

async function ask(order: Order, bench: Workbench) {
  try {
    await bench.connector.act(order, `${actionOf[order.state]}Instance`)
    return { dueInMs: 0, counts: true, faultMessage: null }
  } catch (cause) {
    const error = asFogbowError(cause)
    if (error.outcome === 'refused') return giveUp(order, error.message, bench)
    if (bench.now() - order.stateSince > bench.timing.actionLimitMs)
      return giveUp(order, error.message, bench)
    return {
      faultMessage: `Trying again: ${error.message}`,
      dueInMs: retryPause(order, bench, error),
    }
  }
}

/** Ends the action: the order follows whatever the cloud reports now. */
async function giveUp(order: Order, reason: string, bench: Workbench) {
  const observation = await observeInstance(order, bench)
  const to =
    observation.event === undefined
      ? undefined
      : nextState('UNABLE_TO_CHECK_STATUS', observation.event)
  const step = follow(order, observation, to ?? 'UNABLE_TO_CHECK_STATUS', bench)
  return {
    ...step,
    faultMessage: observation.message ? `${reason}; ${observation.message}` : reason,
  }
}
