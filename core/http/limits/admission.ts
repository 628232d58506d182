import { asFogbowError, type Clock } from '@fogbow/plugin-sdk'
import type { RequestContext } from '../../operations/index.ts'
import type { HttpConfig } from '../http-config.ts'
import type { Route } from '../routes/route.ts'
import { createRequestRate } from './request-rate.ts'

/** Decides who has to wait. */
export interface Admission {
  /** @throws too_many_requests, before anything of the request is read */
  admit(route: Route, request: RequestContext): void
  /** Runs an operation; what it says of the caller counts for later requests. */
  attempt(route: Route, request: RequestContext, run: () => unknown): Promise<unknown>
}

type Limits = Pick<HttpConfig, 'requestsPerMinute'>

/**
 * A caller is a token, as long as nobody says that it is no good, else an address. Tokens that are refused count
 * against their address, and only tokens not seen before have to wait for it: made-up tokens get nowhere, and users
 * with a good one go on.
 */
export function createAdmission(limits: Limits, clock: Pick<Clock, 'now'>): Admission {
  const callers = createRequestRate(limits.requestsPerMinute, clock)
  const refusedTokens = createRequestRate(limits.requestsPerMinute, clock)

  return {
    admit(route, { tokenValue, remoteAddress = '' }) {
      // A login begins and ends with a GET that leaves something behind.
      if (!route.needsToken && route.method === 'GET' && !route.replies) return
      const caller = tokenValue ?? remoteAddress
      if (tokenValue !== undefined && !callers.isKnown(caller)) refusedTokens.check(remoteAddress)
      callers.check(caller)
      callers.count(caller)
    },
    async attempt(route, { tokenValue, remoteAddress = '' }, run) {
      try {
        return await run()
      } catch (error) {
        if (route.needsToken && tokenValue !== undefined && isRefusal(error)) {
          callers.forget(tokenValue)
          refusedTokens.count(remoteAddress)
        }
        throw error
      }
    },
  }
}

function isRefusal(error: unknown): boolean {
  return asFogbowError(error).code === 'unauthenticated'
}
