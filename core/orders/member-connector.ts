import type { FogbowError } from '@fogbow/plugin-sdk'
import type { Delegation } from './delegation.ts'
import type { Order } from './order.ts'

/** An order as its provider knows it. */
export interface OrderReport {
  orderId: string
  /** Grows with every change of state at the provider: what is older than what is known is not believed. */
  generation: number
  /** State of the order there; a word that this version does not know says nothing. */
  state: string
  /** The cloud that the provider took. */
  cloudName?: string
  faultMessage?: string | null
  instance?: Readonly<Record<string, unknown>> | null
  instanceId?: string | null
  allocation?: Readonly<Record<string, number>> | null
}

/** The member could not begin it in time, and never will: it may be asked for anew. */
export function wasNeverBegun(error: FogbowError): boolean {
  return error.details.expired === true
}

/**
 * The way to the members that provide orders of this site. Every call has a time limit and throws a `FogbowError` whose
 * `outcome` tells whether the provider refused, or may have done or may still do what was asked.
 */
export interface MemberConnector {
  /** Safe to repeat: the order has the same id at both sites. */
  createOrder(order: Order): Promise<OrderReport>
  /** As the provider has it stored, for the engine itself. @throws instance_not_found when it does not know the order */
  getOrder(order: Order): Promise<OrderReport>
  /** After the provider looked at its cloud, for somebody who reads the order. @throws instance_not_found when it does not know the order */
  getInstance(order: Order): Promise<OrderReport>
  /** Safe to repeat. @throws instance_not_found when there is nothing to delete any more */
  deleteOrder(order: Order): Promise<void>
  /** Safe to repeat while the order stays in its state. @param action - such as `pause` */
  actOnOrder(order: Order, action: string): Promise<void>
  /** Tells what the owner allows now. @throws instance_not_found when the provider does not know the order; not_implemented */
  setDelegation(order: Order, delegation: Delegation): Promise<void>
  /** Whether that member has lately told of changes by itself, so that it has to be asked rarely only. */
  tellsChanges(provider: string): boolean
}
