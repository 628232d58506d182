import type { FederationUser } from '@fogbow/plugin-sdk'
import { asRecord } from './fields.ts'

/** The base fields alone. What else a user has, tokens above all, stays here. */
export function writeUser({ roles, identityProviderId, id, name }: FederationUser) {
  return { ...(roles.length > 0 && { roles }), identityProviderId, id, name }
}

/** A user as a member describes it; not checked. */
export interface StatedUser {
  readonly roles: unknown
  readonly identityProviderId: unknown
  readonly id: unknown
  readonly name: unknown
}

/** The base fields of what a member says of a user. @throws invalid_parameter when it says nothing */
export function readUser(value: unknown, at: string): StatedUser {
  const { roles, identityProviderId, id, name } = asRecord(value, at)
  return { roles: roles ?? [], identityProviderId, id, name: name ?? id }
}
