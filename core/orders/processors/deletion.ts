import { asFogbowError, type FogbowError } from '@fogbow/plugin-sdk'
import type { Order } from '../order.ts'
import type { Step } from '../step.ts'
import { observeInstance } from './observe.ts'
import {
  mayStillAppear,
  type Processor,
  progressPause,
  retryPause,
  type Workbench,
} from './processor.ts'

/** Looks at an instance that will not go away before its deletion is asked for again. */
const LOOKS_PER_REQUEST = 10

/** ASSIGNED_FOR_DELETION: asks the cloud for the deletion, again and again with growing pauses, saying why it takes. */
export const requestDeletion: Processor = async (order, bench) => {
  if (order.requestOutcome === 'never asked') return { to: 'CLOSED', dueInMs: null }
  const problem = await deleteInstance(order, bench)
  if (!problem) return { to: 'CHECKING_DELETION', faultMessage: null, dueInMs: 0 }
  return stillThere(order, problem, bench)
}

/** CHECKING_DELETION: closes the order once the instance is seen to be gone, and not on the cloud's word alone. */
export const checkDeletion: Processor = async (order, bench) => {
  // Closing it before would leave an instance that nobody owns.
  const wait = mayStillAppear(order, bench)
  if (wait > 0) return { dueInMs: wait, counts: true }
  if (
    order.requestOutcome === 'unknown' ||
    order.attempts % LOOKS_PER_REQUEST === LOOKS_PER_REQUEST - 1
  ) {
    const problem = await deleteInstance(order, bench)
    if (problem) return stillThere(order, problem, bench)
  }
  const observation = await observeInstance(order, bench)
  if (observation.event === 'gone') return { to: 'CLOSED', dueInMs: null }
  if (observation.error) {
    if (wasNeverPossible(order, observation.error)) return { to: 'CLOSED', dueInMs: null }
    return {
      faultMessage: observation.error.message,
      dueInMs: retryPause(order, bench, observation.error),
      counts: true,
    }
  }
  return { dueInMs: progressPause(order, bench), counts: true }
}

/** @returns why it was not accepted */
async function deleteInstance(order: Order, bench: Workbench): Promise<FogbowError | undefined> {
  try {
    await bench.connector.deleteInstance(order)
    return undefined
  } catch (cause) {
    const error = asFogbowError(cause)
    return error.code === 'instance_not_found' || wasNeverPossible(order, error) ? undefined : error
  }
}

/** What cannot be ordered there at all, such as a volume where there is no volume service, is not there either. */
function wasNeverPossible(order: Order, error: FogbowError): boolean {
  return error.code === 'not_implemented' && order.instanceId === null
}

function stillThere(order: Order, problem: FogbowError, bench: Workbench): Step {
  return {
    faultMessage: `Not deleted yet, trying again: ${problem.message}`,
    dueInMs: retryPause(order, bench, problem),
    counts: true,
  }
}
