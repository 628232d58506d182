export type { CloudConnector, ReportedInstance } from './cloud-connector.ts'
export { createEngine, type Engine } from './engine.ts'
export { type EngineClock, systemClock } from './engine-clock.ts'
export { isOwnedBy, type Order } from './order.ts'
export {
  applyStep,
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
export { isBeingDeleted, isObserved, type OrderState, orderStates, shownAs } from './states.ts'
export { nextState, type OrderEvent, transitions } from './transitions.ts'
