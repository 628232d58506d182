import type { FogbowError } from '@fogbow/plugin-sdk'
import type { OrderTiming } from '../../config/index.ts'
import { backOffMs } from '../back-off.ts'
import type { CloudConnector } from '../cloud-connector.ts'
import type { Consideration, Order, Place } from '../order.ts'
import type { Step } from '../step.ts'

/** What a processor works with. It calls the cloud and answers what came of it; it never touches the store. */
export interface Workbench {
  connector: CloudConnector
  timing: OrderTiming
  now(): number
  /** 0 ≤ x < 1 */
  random(): number
  placeElsewhere?: PlaceElsewhere | undefined
}

/** What follows for an order that may go to any site, and was refused where it is. */
export type Elsewhere =
  | { to: 'next'; place: Place; considered: readonly Consideration[] }
  /** Not known yet: it stays, and the same site is asked again later. */
  | { to: 'same'; message: string }
  /** Every site refused it or was left out. */
  | { to: 'nowhere'; message: string; considered: readonly Consideration[] }

export type PlaceElsewhere = (order: Order, reason: string) => Promise<Elsewhere>

/** Looks at an order in one of its states and says what is to become of it. Never throws. */
export type Processor = (order: Order, bench: Workbench) => Promise<Step>

/** How long, in ms, a request whose outcome nobody saw may still take effect. */
export function mayStillAppear(order: Order, bench: Workbench): number {
  if (order.requestOutcome !== 'unknown' || order.requestUntil === null) return 0
  return Math.max(0, order.requestUntil - bench.now())
}

/** However long somebody else asks for: an order is looked at again some time. */
const LONGEST_ASKED_MS = 3_600_000
/** Who was told the same time does not come back at the same moment. */
const ASKED_SPREAD = 0.2

/**
 * Pause before asking again a cloud, or a member, that did not do what it was asked.
 * @param error - why; if it says after how long to come back, that is not sooner
 */
export function retryPause(order: Order, bench: Workbench, error?: FogbowError): number {
  const { firstRetryMs, longestRetryMs } = bench.timing
  const ownMs = backOffMs(order.attempts, firstRetryMs, longestRetryMs, bench.random)
  return error ? Math.max(ownMs, askedMs(error, bench)) : ownMs
}

/** What a plugin says is not believed to be a number. */
function askedMs({ details: { retryAfterSeconds } }: FogbowError, { random }: Workbench): number {
  const seconds: unknown = retryAfterSeconds
  if (typeof seconds !== 'number' || !(seconds > 0)) return 0
  const ms = Math.min(seconds * 1000, LONGEST_ASKED_MS)
  return Math.round(ms * (1 + ASKED_SPREAD * random()))
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
