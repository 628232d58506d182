import { asFogbowError, invalid, readLeniently, schema } from '@fogbow/plugin-sdk'
import { assertValid } from '@fogbow/plugin-sdk/validate'
import type { Audit, LogIns } from '../aaa/index.ts'
import type { OperationParts } from './operation-parts.ts'
import type { Operations, RequestContext } from './operations.ts'
import { toBody } from './request.ts'

const credentials = schema({
  type: 'object',
  maxProperties: 32,
  additionalProperties: { type: 'string', maxLength: 16384 },
})

/** Logging in and out. `publicKey` of the request is taken and not needed: tokens are signed, and readable by this site alone. */
export function createTokenOperations(
  parts: OperationParts & { audit: Audit; logIns: LogIns },
): Pick<Operations, 'createToken' | 'revokeToken' | 'whoAmI' | 'answerTo'> {
  const { aaa, audit } = parts

  function recordLogin(
    context: RequestContext,
    userName: string | undefined,
    response: string,
  ): void {
    audit.record({
      timestamp: parts.now(),
      request_id: context.requestId,
      operation: 'login',
      resource_type: 'TOKEN',
      user_id: userName?.slice(0, 255) ?? null,
      identity_provider_id: null,
      requester: context.requester,
      provider: parts.siteId(),
      response,
    })
  }

  return {
    async createToken(context, body) {
      const given = toBody(body).credentials
      if (given === undefined)
        throw invalid('credentials', 'is required, such as {"username": "…", "password": "…"}')
      const presented = readLeniently(credentials, given) as Record<string, string>
      assertValid(credentials, presented, 'credentials')
      try {
        const token = await parts.logIns.logIn(presented, {
          requestId: context.requestId,
          address: context.remoteAddress ?? '',
          signal: context.signal,
        })
        recordLogin(context, presented.username, 'ok')
        return { token }
      } catch (error) {
        recordLogin(context, presented.username, asFogbowError(error).code)
        throw error
      }
    },

    revokeToken: (context) =>
      parts.guard(context, { operation: 'logout', type: 'TOKEN' }, async (access) => {
        await aaa.revoke(access.authentic)
      }),

    answerTo: (context, subject, answer) =>
      parts.guard(context, { ...subject }, async () => answer()),

    whoAmI: (context) =>
      parts.guard(context, { operation: 'get', type: 'TOKEN' }, async ({ authentic }) => {
        const { id, identityProviderId, name, roles } = authentic.user
        return { id, identityProviderId, name, roles, expiresAt: authentic.expiresAt }
      }),
  }
}
