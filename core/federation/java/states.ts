import { isBeingDeleted, isOrderState, type OrderState, shownAs } from '../../orders/index.ts'

/** States that the original service's first protocol does not know, and that break its reader: the instance exists in each. */
const later: ReadonlySet<OrderState> = new Set<OrderState>([
  'PAUSING',
  'PAUSED',
  'HIBERNATING',
  'HIBERNATED',
  'STOPPING',
  'STOPPED',
  'RESUMING',
])

export function toJavaState(state: string): OrderState {
  if (!isOrderState(state)) return 'UNABLE_TO_CHECK_STATUS'
  return later.has(state) ? 'FULFILLED' : state
}

export function isJavaBeingDeleted(state: string): boolean {
  return isOrderState(state) && isBeingDeleted(state)
}

/** What a peer says that nobody knows is taken as not knowing. */
export function fromJavaState(state: unknown): OrderState {
  return typeof state === 'string' && isOrderState(state) ? state : 'UNABLE_TO_CHECK_STATUS'
}

/** What users of the original service see of an order's state. */
export function toInstanceState(orderState: string): string {
  return shownAs[toJavaState(orderState)]
}

/** The plugin's word for the state of an instance, from what the peer says of it. */
export function fromInstanceState(state: unknown, isReady: boolean, hasFailed: boolean): string {
  if (hasFailed || state === 'FAILED' || state === 'ERROR') return 'FAILED'
  if (isReady) return 'READY'
  const words = ['READY', 'CREATING', 'BUSY', 'DELETING', 'PAUSED', 'HIBERNATED', 'STOPPED']
  return words.find((word) => word === state) ?? 'UNKNOWN'
}
