import { type FederationUser, FogbowError } from '@fogbow/plugin-sdk'
import { MAX_ENVELOPE_LENGTH, type Proof, type Sealed, type Trust } from '../trust/index.ts'

/** A request as it is sent, and sent again. */
export interface SignedRequest extends Sealed {
  readonly id: string
  readonly proof: Proof
}

export interface RequestToSign {
  readonly member: string
  readonly id: string
  readonly expiresAt: number
  readonly method: string
  readonly params: object
  readonly user?: FederationUser | undefined
  /** `signed` when absent */
  readonly proof?: Proof
  /** Of a list: how many items are taken at a time. */
  readonly limit?: number | undefined
  /** Keys of this site to be learnt. */
  readonly keys?: readonly string[] | undefined
}

/** @throws payload_too_large */
export function signRequest(
  trust: Trust,
  { member, id, expiresAt, method, params, user, limit, keys, proof = 'signed' }: RequestToSign,
): SignedRequest {
  const claims = {
    method,
    params,
    ...(user && { user }),
    ...(limit !== undefined && { limit }),
    ...(keys && { keys }),
  }
  const sealed = trust.seal('request', { to: member, id, expiresAt, claims, proof })
  if (sealed.text.length <= MAX_ENVELOPE_LENGTH) return { id, proof, ...sealed }
  throw new FogbowError(
    'payload_too_large',
    `'${method}' for ${member} has ${sealed.text.length} characters when signed, allowed are ${MAX_ENVELOPE_LENGTH}`,
  )
}
