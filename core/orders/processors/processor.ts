import type { OrderTiming } from '../../config/index.ts'
import { backOffMs } from '../back-off.ts'
import type { CloudConnector } from '../cloud-connector.ts'
import type { Order } from '../order.ts'
import type { Step } from '../step.ts'

/** What a processor works with. It calls the cloud and answers what came of it; it never touches the store. */
export interface Workbench {
  connector: CloudConnector
  timing: OrderTiming
  now(): number
  /** 0 ≤ x < 1 */
  random(): number
}

/** Looks at an order in one of its states and says what is to become of it. Never throws. */
export type Processor = (order: Order, bench: Workbench) => Promise<Step>

/** Pause before asking again a cloud that did not answer. */
export function retryPause(order: Order, bench: Workbench): number {
  return backOffMs(
    order.attempts,
    bench.timing.firstRetryMs,
    bench.timing.longestRetryMs,
    bench.random,
  )
}

/** Pause before looking again at something that is being created, changed or deleted. */
export function progressPause(order: Order, bench: Workbench): number {
  return backOffMs(
    order.attempts,
    bench.timing.firstCheckMs,
    bench.timing.longestCheckMs,
    bench.random,
  )
}

/** Pause before looking again at something that nobody is changing. */
export function healthPause(attempts: number, bench: Workbench): number {
  return backOffMs(
    attempts,
    bench.timing.firstHealthCheckMs,
    bench.timing.longestHealthCheckMs,
    bench.random,
  )
}
