import type { FederationUser, PlacementRequest } from '@fogbow/plugin-sdk'

/** Stands for the provider in a request that any site may take. */
export const anySite = 'any'

/** What is to be placed; an order is one, with its owner as user. */
export interface Wish {
  kind: string
  request: Readonly<Record<string, unknown>>
  user: FederationUser
}

export function wantsAnySite(
  request: Readonly<Record<string, unknown>>,
  byDefault: 'local' | 'any',
): boolean {
  return (request.provider ?? byDefault) === anySite
}

/** The cloud that the user wants, by a name that each site gives to its own. */
export function wantedCloud({ request }: Wish): string | undefined {
  return request.cloudName as string | undefined
}

/** Users put passwords into user data, and a key names its owner: neither says where something should run. */
export function toPlacementRequest({ kind, request, user }: Wish): PlacementRequest {
  const { provider: _provider, userData: _userData, publicKey: _publicKey, ...fields } = request
  const { id, identityProviderId, roles, attributes } = user
  return {
    kind,
    request: fields,
    user: { id, identityProviderId, roles, ...(attributes && { attributes }) },
  }
}
