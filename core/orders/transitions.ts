import type { InstanceState } from '@fogbow/plugin-sdk'
import type { OrderState } from './states.ts'

/** What can happen to an order. */
export type OrderEvent =
  /** The engine is about to ask the cloud. */
  | 'select'
  /** Refused, and there is another place to try. */
  | 'refusedHere'
  /** The cloud took the request, or refused it for good. */
  | 'accepted'
  | 'refused'
  /** What the cloud reports of the instance. */
  | 'creating'
  | 'ready'
  | 'busy'
  | 'paused'
  | 'hibernated'
  | 'stopped'
  | 'failed'
  | 'gone'
  /** The cloud does not answer. */
  | 'unreachable'
  /** The user asks. */
  | 'pause'
  | 'hibernate'
  | 'stop'
  | 'resume'
  | 'delete'
  /** The cloud took the deletion; the instance is seen to be gone. */
  | 'deletionAccepted'
  | 'deleted'

type Row = Partial<Record<OrderEvent, OrderState>>

/** Where an instance that is there puts its order, whatever the order thought before. */
const asReported: Row = {
  ready: 'FULFILLED',
  paused: 'PAUSED',
  hibernated: 'HIBERNATED',
  stopped: 'STOPPED',
  failed: 'FAILED_AFTER_SUCCESSFUL_REQUEST',
  gone: 'FAILED_AFTER_SUCCESSFUL_REQUEST',
}
const failing: Row = {
  failed: 'FAILED_AFTER_SUCCESSFUL_REQUEST',
  gone: 'FAILED_AFTER_SUCCESSFUL_REQUEST',
}
const deletable: Row = { delete: 'ASSIGNED_FOR_DELETION' }
const resumable: Row = { resume: 'RESUMING' }
const unreachable: Row = { unreachable: 'UNABLE_TO_CHECK_STATUS' }

/**
 * The state machine: state → event → next state. What is not listed does not happen.
 * No state but FAILED_ON_REQUEST and CLOSED is final: an instance that is seen alive again brings its order back.
 */
export const transitions: Readonly<Record<OrderState, Row>> = {
  OPEN: { ...deletable, select: 'SELECTED' },
  SELECTED: {
    ...deletable,
    accepted: 'SPAWNING',
    refused: 'FAILED_ON_REQUEST',
    refusedHere: 'OPEN',
  },
  PENDING: {
    ...deletable,
    accepted: 'SPAWNING',
    refused: 'FAILED_ON_REQUEST',
    refusedHere: 'OPEN',
  },
  SPAWNING: { ...asReported, ...unreachable, ...deletable },
  FULFILLED: {
    ...asReported,
    ...unreachable,
    ...deletable,
    pause: 'PAUSING',
    hibernate: 'HIBERNATING',
    stop: 'STOPPING',
  },
  FAILED_ON_REQUEST: { ...deletable },
  FAILED_AFTER_SUCCESSFUL_REQUEST: {
    ...asReported,
    ...deletable,
    creating: 'SPAWNING',
    busy: 'FULFILLED',
  },
  UNABLE_TO_CHECK_STATUS: { ...asReported, ...deletable, creating: 'SPAWNING', busy: 'FULFILLED' },
  PAUSING: { ...failing, ...deletable, paused: 'PAUSED' },
  PAUSED: { ...asReported, ...unreachable, ...deletable, ...resumable },
  HIBERNATING: { ...failing, ...deletable, hibernated: 'HIBERNATED' },
  HIBERNATED: { ...asReported, ...unreachable, ...deletable, ...resumable },
  STOPPING: { ...failing, ...deletable, stopped: 'STOPPED' },
  STOPPED: { ...asReported, ...unreachable, ...deletable, ...resumable },
  RESUMING: { ...failing, ...deletable, ready: 'FULFILLED' },
  ASSIGNED_FOR_DELETION: { deletionAccepted: 'CHECKING_DELETION', deleted: 'CLOSED' },
  CHECKING_DELETION: { deleted: 'CLOSED' },
  CLOSED: {},
}

/** @returns undefined when the event does not change that state; a move to the same state counts as none */
export function nextState(state: OrderState, event: OrderEvent): OrderState | undefined {
  const next = transitions[state][event]
  return next === state ? undefined : next
}

const events: Readonly<Record<InstanceState, OrderEvent | undefined>> = {
  CREATING: 'creating',
  READY: 'ready',
  BUSY: 'busy',
  PAUSED: 'paused',
  HIBERNATED: 'hibernated',
  STOPPED: 'stopped',
  FAILED: 'failed',
  DELETING: undefined,
  UNKNOWN: undefined,
}

/** What the report of a plugin means for the order. */
export function eventOf(state: InstanceState): OrderEvent | undefined {
  return events[state]
}
