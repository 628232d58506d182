export type { CloudConnector, ReportedInstance } from './cloud-connector.ts'
export {
  type Delegation,
  givenByOrdering,
  grantedAnew,
  isSamePerson,
  type Person,
  revoked,
  whyNoWork,
} from './delegation.ts'
export { createEngine, type Engine } from './engine.ts'
export { type EngineClock, systemClock } from './engine-clock.ts'
export { type MemberConnector, type OrderReport, wasNeverBegun } from './member-connector.ts'
export {
  type Consideration,
  isOwnedBy,
  mayGoAnywhere,
  type Order,
  type Place,
} from './order.ts'
export {
  applyStep,
  changeDelegation,
  countByState,
  dependants,
  findOrder,
  insertOrder,
  listOrders,
  listVersion,
  type OrderFilter,
  orderHistory,
} from './order-store.ts'
export type { Page, PageRequest } from './page.ts'
export type { Elsewhere, PlaceElsewhere } from './processors/index.ts'
export { toReport } from './report.ts'
export {
  canBeRefreshed,
  isBeingDeleted,
  isObserved,
  isOrderState,
  type OrderState,
  orderStates,
  shownAs,
} from './states.ts'
export { nextState, type OrderEvent, transitions } from './transitions.ts'
export { unreachableMembers } from './unreachable-members.ts'
