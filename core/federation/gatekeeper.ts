import { type FederationUser, FogbowError } from '@fogbow/plugin-sdk'
import { assertValid } from '@fogbow/plugin-sdk/validate'
import { travellingUser } from './allocation/methods.ts'
import type { MemberId, RemoteCall, RemoteMethod } from './contract.ts'
import type { Asked, DialectName } from './dialect.ts'
import type { DialectChoice, Members } from './peers/index.ts'
import type { FederationSettings } from './settings.ts'

/** Whether a member may ask what it asks, before anything is done; the same for every dialect. */
export interface Gatekeeper {
  /** @throws FogbowError */
  admit(dialect: DialectName, asked: Asked): RemoteCall
}

export interface GatekeeperParts {
  readonly methods: ReadonlyMap<string, RemoteMethod>
  readonly members: Members
  readonly choice: DialectChoice
  readonly settings: () => FederationSettings
}

export function createGatekeeper(parts: GatekeeperParts): Gatekeeper {
  const { methods, members, choice, settings } = parts
  return {
    admit(dialect, asked) {
      const { member, id, deadline, signal } = asked
      const method = methods.get(asked.method)
      if (!members.isMember(member))
        throw new FogbowError('unauthorized', `${member} is no member of the federation here`)
      if (!choice.isAllowed(member, dialect))
        throw new FogbowError('unauthorized', `${member} may not ask without signing`)
      if (!method)
        throw new FogbowError('not_implemented', `this site does not know '${shown(asked.method)}'`)
      if (!members.mayCome(member, method))
        throw new FogbowError('unauthorized', `${member} may not ask '${method.name}' here`)
      const params = readParams(method, asked.params)
      const others = settings().peers[member]?.identityProviders
      const user = method.onBehalf ? readUser(member, asked.user, others) : undefined
      return { member, method, params, id, deadline, signal, ...(user && { user }) }
    },
  }
}

/** @throws invalid_parameter naming the field */
export function readParams(method: RemoteMethod, params: unknown): Record<string, unknown> {
  assertValid(method.params, params, method.name)
  return params as Record<string, unknown>
}

/**
 * A user as it travels: nothing but what describes it, above all no token.
 * @param others - identity providers whose users the site may speak for as well
 * @throws unauthorized for users of anybody else
 */
export function readUser(
  site: MemberId,
  given: unknown,
  others: readonly string[] = [],
): FederationUser {
  assertValid(travellingUser, given, 'user')
  const { id, identityProviderId, name, roles, attributes } = given as FederationUser
  if (identityProviderId !== site && !others.includes(identityProviderId))
    throw new FogbowError(
      'unauthorized',
      `${site} speaks for its own users only, not for those of '${shown(identityProviderId)}'`,
    )
  return { id, identityProviderId, name, roles, ...(attributes && { attributes }) }
}

function shown(text: string): string {
  return text.slice(0, 80)
}
