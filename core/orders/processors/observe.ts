import { asFogbowError, type FogbowError, type InstanceState } from '@fogbow/plugin-sdk'
import type { Order } from '../order.ts'
import type { OrderState } from '../states.ts'
import type { Facts, Step } from '../step.ts'
import { eventOf, nextState, type OrderEvent } from '../transitions.ts'
import {
  healthPause,
  type Processor,
  progressPause,
  retryPause,
  type Workbench,
} from './processor.ts'

/** What came of asking the cloud about an instance. */
export interface Observation {
  event?: OrderEvent
  facts?: Facts
  /** Why it failed, is gone or cannot be seen. */
  message?: string
  /** With which it could not be seen. */
  error?: FogbowError
}

export async function observeInstance(order: Order, bench: Workbench): Promise<Observation> {
  try {
    const instance = await bench.connector.getInstance(order)
    const event = eventOf(instance.state as InstanceState)
    const facts: Facts = { instance, observedAt: bench.now() }
    if (event !== 'failed') return event ? { event, facts } : { facts }
    const words = instance.faultMessage || `the cloud reports ${instance.cloudState}`
    return { event, facts, message: String(words) }
  } catch (cause) {
    const error = asFogbowError(cause)
    if (error.code === 'instance_not_found')
      return { event: 'gone', message: `Gone from the cloud: ${error.message}` }
    return { event: 'unreachable', message: error.message, error }
  }
}

/** Any state with an instance that nobody is changing through this site: follows what the cloud reports. */
export const observe: Processor = async (order, bench) => {
  const observation = await observeInstance(order, bench)
  return follow(
    order,
    observation,
    observation.event && nextState(order.state, observation.event),
    bench,
  )
}

/** The step that follows from an observation, given the state to go to. */
export function follow(
  order: Order,
  observation: Observation,
  to: OrderState | undefined,
  bench: Workbench,
): Step {
  const { error } = observation
  const step: Step = {
    dueInMs: error
      ? retryPause(order, bench, error)
      : pauseIn(to ?? order.state, to ? 0 : order.attempts, order, bench),
    counts: true,
  }
  if (to) step.to = to
  if (observation.facts) step.facts = observation.facts
  if (observation.message) step.faultMessage = observation.message
  else if (to && to !== 'FAILED_AFTER_SUCCESSFUL_REQUEST') step.faultMessage = null
  return step
}

function pauseIn(state: OrderState, attempts: number, order: Order, bench: Workbench): number {
  return state === 'SPAWNING'
    ? progressPause({ ...order, attempts }, bench)
    : healthPause(attempts, bench)
}
