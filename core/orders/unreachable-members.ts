import { FogbowError } from '@fogbow/plugin-sdk'
import type { MemberConnector } from './member-connector.ts'
import type { Order } from './order.ts'

/** For a site without a way to other members: orders that these provide are out of reach, and wait. */
export function unreachableMembers(): MemberConnector {
  const fail = async ({ provider }: Order): Promise<never> => {
    throw new FogbowError(
      'unavailable_provider',
      `Provider '${provider}' cannot be reached: this site has no connection to other members`,
    )
  }
  return {
    createOrder: fail,
    getOrder: fail,
    getInstance: fail,
    deleteOrder: fail,
    actOnOrder: fail,
    setDelegation: fail,
    tellsChanges: () => false,
  }
}
