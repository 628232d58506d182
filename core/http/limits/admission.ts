import { hash } from 'node:crypto'
import { asFogbowError, type Clock } from '@fogbow/plugin-sdk'
import type { RequestContext } from '../../operations/index.ts'
import type { HttpConfig } from '../http-config.ts'
import { logInPath } from '../routes/authentication-routes.ts'
import type { Route } from '../routes/route.ts'
import { createLockout } from './lockout.ts'
import { createRequestRate } from './request-rate.ts'

/** Decides who has to wait. */
export interface Admission {
  /** @throws too_many_requests, before anything of the request is read */
  admit(route: Route, request: RequestContext): void
  /** Runs an operation; what it says of the caller counts for later requests. */
  attempt(
    route: Route,
    request: RequestContext,
    body: unknown,
    run: () => unknown,
  ): Promise<unknown>
}

type Limits = Pick<HttpConfig, 'requestsPerMinute' | 'failedLoginsPerMinute'>

/** Many people may share an address, so that it is locked out later than one user name there. */
const NAMES_PER_ADDRESS = 10

/**
 * A caller is a token, as long as nobody says that it is no good, else an address. Tokens that are refused count
 * against their address, and only tokens not seen before have to wait for it: made-up tokens get nowhere, and users
 * with a good one go on.
 */
export function createAdmission(limits: Limits, clock: Pick<Clock, 'now'>): Admission {
  const callers = createRequestRate(limits.requestsPerMinute, clock)
  const refusedTokens = createRequestRate(limits.requestsPerMinute, clock)
  const logIns = createLogInLimit(limits.failedLoginsPerMinute, clock)

  return {
    admit(route, { tokenValue, remoteAddress = '' }) {
      if (!route.needsToken && route.method === 'GET') return
      const caller = tokenValue ?? remoteAddress
      if (tokenValue !== undefined && !callers.isKnown(caller)) refusedTokens.check(remoteAddress)
      callers.check(caller)
      callers.count(caller)
    },
    async attempt(route, { tokenValue, remoteAddress = '' }, body, run) {
      if (route.path === logInPath && route.method === 'POST') {
        return logIns.attempt(remoteAddress, userNameIn(body), run)
      }
      try {
        return await run()
      } catch (error) {
        if (tokenValue !== undefined && isRefusal(error)) {
          callers.forget(tokenValue)
          refusedTokens.count(remoteAddress)
        }
        throw error
      }
    },
  }
}

function createLogInLimit(freeFailures: number, clock: Pick<Clock, 'now'>) {
  const names = createLockout({ clock, freeFailures })
  const addresses = createLockout({ clock, freeFailures: freeFailures * NAMES_PER_ADDRESS })

  return {
    async attempt(address: string, userName: string, run: () => unknown): Promise<unknown> {
      const name = `${address} ${userName}`
      addresses.check(address)
      names.check(name)
      try {
        const token = await run()
        names.succeeded(name)
        return token
      } catch (error) {
        if (isRefusal(error)) {
          addresses.failed(address)
          names.failed(name)
        }
        throw error
      }
    },
  }
}

function isRefusal(error: unknown): boolean {
  return asFogbowError(error).code === 'unauthenticated'
}

/** Hashed, so that its length is bounded. */
function userNameIn(body: unknown): string {
  const { credentials } = body as { credentials?: { username?: unknown } | null }
  return hash('sha256', String(credentials?.username ?? ''), 'base64')
}
