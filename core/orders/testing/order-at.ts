import { givenByOrdering } from '../delegation.ts'
import type { Order } from '../order.ts'

export const NOW = 1_700_000_000_000

/** An order of Ana's at that provider, as it was made just now but for what is said. */
export function orderAt(provider: string, more: Partial<Order> = {}): Order {
  return {
    seq: 1,
    id: 'order-1',
    kind: 'compute',
    state: 'OPEN',
    provider,
    cloudName: 'one',
    requester: 'site-a',
    owner: { id: 'ana', identityProviderId: 'site-a', name: 'Ana', roles: [] },
    name: 'vm',
    request: {},
    instanceId: null,
    instance: null,
    observedAt: null,
    allocation: null,
    faultMessage: null,
    version: 0,
    attempts: 0,
    requestOutcome: 'never asked',
    requestUntil: null,
    stateSince: NOW,
    createdAt: NOW,
    generation: null,
    refusals: 0,
    considered: null,
    delegation: givenByOrdering({ id: 'ana', identityProviderId: 'site-a' }, NOW, null),
    delegationTold: 1,
    ...more,
  }
}
