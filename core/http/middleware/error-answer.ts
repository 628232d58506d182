import { asFogbowError, type FogbowError } from '@fogbow/plugin-sdk'
import type { Logger } from 'pino'
import { pathOf } from '../router.ts'
import type { HttpContext } from './state.ts'

/** Wait that is suggested when the error does not know a better one. */
const RETRY_AFTER_SECONDS = 5
const LONGEST_RETRY_AFTER_SECONDS = 86_400

/** Turns anything thrown into an answer of the error catalogue; what is not in it stays in the log. */
export function answerError(context: HttpContext, thrown: unknown, log: Logger): void {
  const error = asFogbowError(thrown)
  const { requestId } = context.state
  if (error.code === 'internal_error') {
    log.error(
      { requestId, route: context.state.route, err: error.cause ?? error },
      'request failed',
    )
  }
  const { headers, status } = describe(error)
  context.status = status
  context.set({ ...headers, 'Cache-Control': 'no-store' })
  context.set('Content-Type', 'application/json; charset=utf-8')
  context.body = JSON.stringify({
    message: messageOf(error, requestId),
    details: `uri=${pathOf(context.req.url ?? '')}`,
    code: error.code,
    ...(typeof error.details.field === 'string' && { field: error.details.field }),
    requestId,
  })
}

function messageOf(error: FogbowError, requestId: string): string {
  if (error.code !== 'internal_error') return error.message
  return `The site failed to answer. Tell its administrator the request id ${requestId}`
}

function describe(error: FogbowError): { status: number; headers: Record<string, string> } {
  const headers: Record<string, string> = {}
  const { allow, retryAfterSeconds } = error.details
  if (error.status === 401) headers['WWW-Authenticate'] = 'Fogbow-User-Token realm="fogbow"'
  // Details of other errors may come from a plugin or a peer, in any form.
  if (error.code === 'method_not_allowed' && Array.isArray(allow)) headers.Allow = allow.join(', ')
  if (error.status === 429 || error.status === 503) {
    headers['Retry-After'] = String(toSeconds(retryAfterSeconds))
  }
  return { status: error.status, headers }
}

function toSeconds(wanted: unknown): number {
  const known = typeof wanted === 'number' && wanted >= 0 && wanted <= LONGEST_RETRY_AFTER_SECONDS
  return known ? Math.ceil(wanted) : RETRY_AFTER_SECONDS
}
