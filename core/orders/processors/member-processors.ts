import type { OrderState } from '../states.ts'
import type { MemberProcessor } from './member-bench.ts'
import { checkDeletionAtMember, deleteAtMember } from './member-deletion.ts'
import { lookAtMember } from './member-look.ts'
import { actAtMember } from './member-power.ts'
import { requestAtMember } from './member-request.ts'
import { select } from './request.ts'

/** What the engine does with an order that is due and that another member provides. */
export const memberProcessors: Readonly<Partial<Record<OrderState, MemberProcessor>>> = {
  OPEN: select,
  SELECTED: requestAtMember,
  PENDING: lookAtMember,
  SPAWNING: lookAtMember,
  FULFILLED: lookAtMember,
  FAILED_AFTER_SUCCESSFUL_REQUEST: lookAtMember,
  UNABLE_TO_CHECK_STATUS: lookAtMember,
  PAUSING: actAtMember,
  PAUSED: lookAtMember,
  HIBERNATING: actAtMember,
  HIBERNATED: lookAtMember,
  STOPPING: actAtMember,
  STOPPED: lookAtMember,
  RESUMING: actAtMember,
  ASSIGNED_FOR_DELETION: deleteAtMember,
  CHECKING_DELETION: checkDeletionAtMember,
}
