import { FogbowError } from '@fogbow/plugin-sdk'
import { pathOf, type Router } from '../router.ts'
import type { HttpContext, HttpMiddleware } from './state.ts'

const PREFLIGHT_MAX_AGE_SECONDS = 1800
const EXPOSED = 'ETag, Link, Retry-After, X-Request-Id'
const headerNames = /^[\w!#$%&'*+.^`|~,\s-]{0,1024}$/

/**
 * Lets pages of other origins call the API (Fetch standard, section 3.3). The token travels in a header of its own, so
 * credentials are never allowed, and any origin may be.
 */
export function cors(origins: readonly string[], router: Router): HttpMiddleware {
  const any = origins.includes('*')
  const allowed = new Set(origins)

  return async (context, next) => {
    if (!any) context.append('Vary', 'Origin')
    const { origin } = context.req.headers
    if (origin && (any || allowed.has(origin))) {
      context.set('Access-Control-Allow-Origin', any ? '*' : origin)
      context.set('Access-Control-Expose-Headers', EXPOSED)
    }
    if (context.method === 'OPTIONS')
      return answerOptions(context, router, any || allowed.has(origin ?? ''))
    return next()
  }
}

/** A preflight, or an `OPTIONS` that asks what a path offers. */
function answerOptions(context: HttpContext, router: Router, isAllowedOrigin: boolean): void {
  const url = context.req.url ?? ''
  const methods = router.methodsOf(url)
  if (methods.length === 0) {
    throw new FogbowError('not_found', `There is no ${pathOf(url)} here; /docs lists what there is`)
  }
  const wanted = context.get('Access-Control-Request-Method')
  if (wanted !== '') {
    refusePreflight(wanted, methods, isAllowedOrigin, pathOf(url))
    context.set('Access-Control-Allow-Methods', methods.join(', '))
    context.set('Access-Control-Max-Age', String(PREFLIGHT_MAX_AGE_SECONDS))
    const headers = context.get('Access-Control-Request-Headers')
    if (headers !== '' && headerNames.test(headers)) {
      context.set('Access-Control-Allow-Headers', headers)
    }
  }
  context.set('Allow', [...methods, 'OPTIONS'].join(', '))
  context.status = 200
  context.body = ''
  context.remove('Content-Type')
}

function refusePreflight(
  wanted: string,
  methods: readonly string[],
  isAllowedOrigin: boolean,
  path: string,
): void {
  if (!isAllowedOrigin) {
    throw new FogbowError('unauthorized', 'Pages of this origin may not call this site')
  }
  if (!methods.includes(wanted)) {
    const message = `${path} does not offer ${wanted.slice(0, 20)}, only ${methods.join(', ')}`
    throw new FogbowError('unauthorized', message)
  }
}
