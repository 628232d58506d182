/** States of an order; the names are those of the original system, also on the wire between sites. */
export const orderStates = [
  'OPEN',
  'SELECTED',
  'PENDING',
  'SPAWNING',
  'FULFILLED',
  'FAILED_ON_REQUEST',
  'FAILED_AFTER_SUCCESSFUL_REQUEST',
  'UNABLE_TO_CHECK_STATUS',
  'PAUSING',
  'PAUSED',
  'HIBERNATING',
  'HIBERNATED',
  'STOPPING',
  'STOPPED',
  'RESUMING',
  'ASSIGNED_FOR_DELETION',
  'CHECKING_DELETION',
  'CLOSED',
] as const
export type OrderState = (typeof orderStates)[number]

const known: ReadonlySet<string> = new Set(orderStates)

export function isOrderState(word: string): word is OrderState {
  return known.has(word)
}

/** What users see of a state, in lists and when they read one instance. */
export const shownAs: Readonly<Record<OrderState, string>> = {
  OPEN: 'DISPATCHED',
  SELECTED: 'DISPATCHED',
  PENDING: 'DISPATCHED',
  SPAWNING: 'CREATING',
  FULFILLED: 'READY',
  FAILED_ON_REQUEST: 'ERROR',
  FAILED_AFTER_SUCCESSFUL_REQUEST: 'FAILED',
  UNABLE_TO_CHECK_STATUS: 'UNKNOWN',
  PAUSING: 'PAUSING',
  PAUSED: 'PAUSED',
  HIBERNATING: 'HIBERNATING',
  HIBERNATED: 'HIBERNATED',
  STOPPING: 'STOPPING',
  STOPPED: 'STOPPED',
  RESUMING: 'RESUMING',
  ASSIGNED_FOR_DELETION: 'DELETING',
  CHECKING_DELETION: 'DELETING',
  CLOSED: 'DELETED',
}

/** Order states behind a state that users see. */
export function statesShownAs(shown: string): OrderState[] {
  return orderStates.filter((state) => shownAs[state] === shown)
}

const beingDeleted: ReadonlySet<OrderState> = new Set([
  'ASSIGNED_FOR_DELETION',
  'CHECKING_DELETION',
  'CLOSED',
])

export function isBeingDeleted(state: OrderState): boolean {
  return beingDeleted.has(state)
}

/** The power action that is under way in a state. */
export const actionOf: Readonly<Partial<Record<OrderState, string>>> = {
  PAUSING: 'pause',
  HIBERNATING: 'hibernate',
  STOPPING: 'stop',
  RESUMING: 'resume',
}

/** A power action is under way. */
export function isChanging(state: OrderState): boolean {
  return actionOf[state] !== undefined
}

/** States in which an instance exists and the cloud is asked about it. */
const observed: ReadonlySet<OrderState> = new Set([
  'SPAWNING',
  'FULFILLED',
  'FAILED_AFTER_SUCCESSFUL_REQUEST',
  'UNABLE_TO_CHECK_STATUS',
  'PAUSING',
  'PAUSED',
  'HIBERNATING',
  'HIBERNATED',
  'STOPPING',
  'STOPPED',
  'RESUMING',
])

export function isObserved(state: OrderState): boolean {
  return observed.has(state)
}

/** Whether looking anew can tell something: of what another member was asked for, also before it has an instance. */
export function canBeRefreshed(state: OrderState): boolean {
  return observed.has(state) || state === 'PENDING'
}

/** States in which something is under way, so that the engine takes the order up again at once after a restart. */
export const unsettledStates: readonly OrderState[] = [
  'OPEN',
  'SELECTED',
  'PENDING',
  'SPAWNING',
  'UNABLE_TO_CHECK_STATUS',
  'PAUSING',
  'HIBERNATING',
  'STOPPING',
  'RESUMING',
  'ASSIGNED_FOR_DELETION',
  'CHECKING_DELETION',
]
