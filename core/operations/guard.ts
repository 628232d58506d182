import { asFogbowError, type FederationUser } from '@fogbow/plugin-sdk'
import type { AaaPipeline, Audit, AuthenticUser } from '../aaa/index.ts'
import type { RequestContext } from './operations.ts'

/** What an operation is about, for authorization and audit; filled in as it becomes known. */
export interface Subject {
  operation: string
  /** Resource type on the wire, such as `COMPUTE`. */
  type: string
  provider?: string
  cloudName?: string
  orderId?: string
  /** Package of plugins. */
  package?: string
  /** What was done in words, and why, for the audit. */
  detail?: string
  /** What a site asks by itself, to follow what its users asked for, is recorded only when it is refused. */
  isFollowing?: boolean
}

export interface Access {
  user: FederationUser
  authentic: AuthenticUser
  /** Asks the authorization plugin. @throws unauthorized */
  authorize(owner?: { id: string; identityProviderId: string }): Promise<void>
}

export type Guard = <Result>(
  context: RequestContext,
  subject: Subject,
  run: (access: Access) => Promise<Result>,
) => Promise<Result>

/**
 * Every operation passes here: authenticate, do, and leave a record whatever came of it. A member that asks for one of
 * its users has signed that it is he.
 */
export function createGuard(parts: {
  aaa: AaaPipeline
  audit: Audit
  siteId: () => string
  now: () => number
}): Guard {
  const { aaa, audit } = parts

  return async (context, subject, run) => {
    let user: FederationUser | undefined
    const record = (response: string) =>
      audit.record({
        timestamp: parts.now(),
        request_id: context.requestId,
        operation: subject.operation,
        resource_type: subject.type,
        user_id: user?.id ?? null,
        identity_provider_id: user?.identityProviderId ?? null,
        requester: context.requester,
        provider: subject.provider ?? parts.siteId(),
        cloud_name: subject.cloudName ?? null,
        order_id: subject.orderId ?? null,
        detail: subject.detail ?? null,
        response,
      })
    try {
      const authentic = context.vouched
        ? toAuthentic(context.vouched)
        : await aaa.authenticate(context.tokenValue, context.signal)
      user = authentic.user
      const authorize = (owner?: { id: string; identityProviderId: string }) =>
        aaa.authorize(
          authentic.user,
          {
            name: subject.operation,
            provider: subject.provider ?? parts.siteId(),
            requester: context.requester,
            ...(subject.cloudName !== undefined && { cloud: subject.cloudName }),
            ...(subject.package !== undefined && { package: subject.package }),
            ...(owner && { owner: { id: owner.id, identityProviderId: owner.identityProviderId } }),
          },
          subject.type,
        )
      const result = await run({ user, authentic, authorize })
      if (!subject.isFollowing) record('ok')
      return result
    } catch (error) {
      record(asFogbowError(error).code)
      throw error
    }
  }
}

function toAuthentic(user: FederationUser): AuthenticUser {
  return { user, tokenValue: '', expiresAt: Number.POSITIVE_INFINITY }
}
