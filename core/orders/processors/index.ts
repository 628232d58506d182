import type { OrderState } from '../states.ts'
import { checkDeletion, requestDeletion } from './deletion.ts'
import { observe } from './observe.ts'
import { act } from './power.ts'
import type { Processor } from './processor.ts'
import { request, select } from './request.ts'

/** What the engine does with an order that is due. States without an entry wait for a request or a peer. */
export const processors: Readonly<Partial<Record<OrderState, Processor>>> = {
  OPEN: select,
  SELECTED: request,
  SPAWNING: observe,
  FULFILLED: observe,
  FAILED_AFTER_SUCCESSFUL_REQUEST: observe,
  UNABLE_TO_CHECK_STATUS: observe,
  PAUSING: act,
  PAUSED: observe,
  HIBERNATING: act,
  HIBERNATED: observe,
  STOPPING: act,
  STOPPED: observe,
  RESUMING: act,
  ASSIGNED_FOR_DELETION: requestDeletion,
  CHECKING_DELETION: checkDeletion,
}

export type { MemberBench, MemberProcessor } from './member-bench.ts'
export { memberProcessors } from './member-processors.ts'
export { mirror } from './mirror.ts'
export type { Elsewhere, PlaceElsewhere, Processor, Workbench } from './processor.ts'
export { tellDelegation } from './tell-delegation.ts'
