import type { RemoteProviders } from '../../operations/index.ts'
import type { EngineClock, Order } from '../../orders/index.ts'
import type { Store } from '../../store/index.ts'
import type { Federation, MemberView } from '../contract.ts'
import type { Log } from '../xmpp/index.ts'
import { createRemoteOrders, type RemoteOrders } from './remote-orders.ts'
import { createRemoteProviders } from './remote-providers.ts'
import { type AllocationParts, type AllocationServer, createAllocationServer } from './serve.ts'
import { createTeller } from './tell-requesters.ts'

/** Trading of orders with other members, both ways. */
export interface Allocation {
  /** For the engine: orders that others provide. */
  orders: RemoteOrders
  /** For operations: what is asked of others without ordering. */
  providers: RemoteProviders
  /** An order changed its state here; whoever asked for it is told. */
  changed(order: Order): void
  /** What others may ask here. */
  serve(site: AllocationSite): AllocationServer
  /** Takes up what others were not told yet. */
  start(): Promise<void>
  stop(): void
}

/** Who does what others ask. */
export type AllocationSite = Pick<AllocationParts, 'operations' | 'engine'>

export function createAllocation(parts: {
  federation: Pick<Federation, 'call' | 'members'>
  /** Members as they fare, with who names them. */
  status?(): MemberView[]
  store: Store
  siteId(): string
  clock: EngineClock
  log: Log
}): Allocation {
  const { federation, clock } = parts
  const orders = createRemoteOrders(federation, clock.now)
  const teller = createTeller(parts)
  return {
    orders,
    providers: createRemoteProviders(federation, parts.status),
    changed: teller.changed,
    serve: ({ operations, engine }) =>
      createAllocationServer({
        siteId: parts.siteId,
        operations,
        engine: {
          async observe(member, report) {
            orders.heardFrom(member)
            await engine.observe(member, report)
          },
        },
      }),
    start: teller.start,
    stop: teller.stop,
  }
}
