import type { MemberConnector } from '../member-connector.ts'
import type { Order } from '../order.ts'
import type { Step } from '../step.ts'
import type { Workbench } from './processor.ts'

/** What a processor works with whose order is provided by another member. */
export interface MemberBench extends Workbench {
  members: MemberConnector
  /** Somebody waits to see the order, so that its provider is to look at its cloud first. */
  isRead: boolean
}

/** Looks at an order of another member in one of its states and says what is to become of it. Never throws. */
export type MemberProcessor = (order: Order, bench: MemberBench) => Promise<Step>
