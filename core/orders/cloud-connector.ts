import type { RequestedInstance } from '@fogbow/plugin-sdk'
import type { Order } from './order.ts'

/** An instance as a plugin reports it: `state`, `cloudState` and the fields of its kind. */
export type ReportedInstance = Readonly<Record<string, unknown>> & {
  state: string
  cloudState: string
}

/**
 * The way to one provider, whether local or remote. Every call has a time limit, none holds a lock, and each throws a
 * `FogbowError` whose `outcome` tells whether it was refused or may have been executed.
 */
export interface CloudConnector {
  /** Safe to repeat: the order id is the idempotency key. */
  requestInstance(order: Order): Promise<RequestedInstance>
  /** @throws instance_not_found once it is gone */
  getInstance(order: Order): Promise<ReportedInstance>
  deleteInstance(order: Order): Promise<void>
  /** @param method - such as `pauseInstance` */
  act(order: Order, method: string): Promise<void>
}
