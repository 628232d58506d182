/** States of an order that the original service's first protocol knows; any other breaks its reader. */
const known: ReadonlySet<string> = new Set([
  'OPEN',
  'SELECTED',
  'PENDING',
  'SPAWNING',
  'FULFILLED',
  'FAILED_ON_REQUEST',
  'FAILED_AFTER_SUCCESSFUL_REQUEST',
  'UNABLE_TO_CHECK_STATUS',
  'ASSIGNED_FOR_DELETION',
  'CHECKING_DELETION',
  'CLOSED',
])

/** States that came later: in each of them the instance exists. */
const later: ReadonlySet<string> = new Set([
  'PAUSING',
  'PAUSED',
  'HIBERNATING',
  'HIBERNATED',
  'STOPPING',
  'STOPPED',
  'RESUMING',
])

export const beingDeleted: ReadonlySet<string> = new Set([
  'ASSIGNED_FOR_DELETION',
  'CHECKING_DELETION',
  'CLOSED',
])

export function toJavaState(state: string): string {
  if (later.has(state)) return 'FULFILLED'
  return known.has(state) ? state : 'UNABLE_TO_CHECK_STATUS'
}

/** What a peer says that nobody knows is taken as not knowing. */
export function fromJavaState(state: unknown): string {
  if (typeof state === 'string' && (known.has(state) || later.has(state))) return state
  return 'UNABLE_TO_CHECK_STATUS'
}

/** What users of the original service see of an order's state. */
const shown: Readonly<Record<string, string>> = {
  OPEN: 'DISPATCHED',
  SELECTED: 'DISPATCHED',
  PENDING: 'DISPATCHED',
  SPAWNING: 'CREATING',
  FULFILLED: 'READY',
  FAILED_ON_REQUEST: 'ERROR',
  FAILED_AFTER_SUCCESSFUL_REQUEST: 'FAILED',
  UNABLE_TO_CHECK_STATUS: 'UNKNOWN',
  ASSIGNED_FOR_DELETION: 'DELETING',
  CHECKING_DELETION: 'DELETING',
  CLOSED: 'DELETED',
}

export function toInstanceState(orderState: string): string {
  return shown[toJavaState(orderState)] ?? 'UNKNOWN'
}

/** The plugin's word for the state of an instance, from what the peer says of it. */
export function fromInstanceState(state: unknown, isReady: boolean, hasFailed: boolean): string {
  if (hasFailed || state === 'FAILED' || state === 'ERROR') return 'FAILED'
  if (isReady) return 'READY'
  const words = ['READY', 'CREATING', 'BUSY', 'DELETING', 'PAUSED', 'HIBERNATED', 'STOPPED']
  return words.find((word) => word === state) ?? 'UNKNOWN'
}
