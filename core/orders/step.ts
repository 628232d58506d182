import type { Consideration, Order, RequestOutcome } from './order.ts'
import type { OrderState } from './states.ts'

/** What became known about an order; true whatever state it is in by now. */
export interface Facts {
  instanceId?: string
  allocation?: Record<string, number>
  instance?: Readonly<Record<string, unknown>>
  observedAt?: number
  requestOutcome?: RequestOutcome
  requestUntil?: number
  /** Where it is: the provider tells which cloud it took, and a refused order may go elsewhere. */
  provider?: string
  cloudName?: string
  /** null: nothing is known of this provider yet. */
  generation?: number | null
  refusals?: number
  considered?: readonly Consideration[]
  /** Number of the delegation that its provider was told of. */
  delegationTold?: number
}

/** The outcome of looking at an order once. */
export interface Step {
  /** New state; absent: it stays. */
  to?: OrderState
  facts?: Facts
  /** null clears it, absent keeps it. */
  faultMessage?: string | null
  /** When to look again; 0 at once, null never (until somebody asks for something). */
  dueInMs: number | null
  /** Whether this look counts for the back-off. Entering another state starts counting anew. */
  counts?: boolean
}

/** The order as it is after a step. */
export function afterStep(order: Order, step: Step, now: number): Order {
  const moved = step.to !== undefined && step.to !== order.state
  return {
    ...order,
    ...step.facts,
    state: step.to ?? order.state,
    faultMessage: step.faultMessage === undefined ? order.faultMessage : step.faultMessage,
    version: moved ? order.version + 1 : order.version,
    attempts: moved ? 0 : order.attempts + (step.counts ? 1 : 0),
    stateSince: moved ? now : order.stateSince,
  }
}
