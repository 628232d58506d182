import type { Operations } from '../../operations/index.ts'
import type { Page } from '../../orders/index.ts'
import type { Admission } from '../limits/admission.ts'
import type { BrowserCookie } from '../request/browser-cookie.ts'
import { readJsonBody } from '../request/json-body.ts'
import { entityTagOf, isUnchanged, nextLink, versionNamedBy } from '../request/page-answer.ts'
import { parseQuery } from '../request/query.ts'
import { createRequestContext } from '../request/request-context.ts'
import { type Match, pathOf, type Router } from '../router.ts'
import type { Reply } from '../routes/route.ts'
import type { HttpContext, HttpMiddleware } from './state.ts'

export interface DispatchDependencies {
  router: Router
  operations: Operations
  admission: Admission
  bodyLimitBytes: number
  /** This site's id: the member from which requests over HTTP come. */
  requester: string
  cookie(): BrowserCookie
}

/** Innermost: finds the route of a request, runs its operation, and writes the answer. */
export function dispatch(dependencies: DispatchDependencies): HttpMiddleware {
  const { router, operations, admission, bodyLimitBytes, requester, cookie } = dependencies

  return async (context) => {
    const match = router.match(context.method, context.req.url ?? '')
    const { route, params } = match
    context.state.route = route.path
    const request = createRequestContext(context.req, {
      requestId: context.state.requestId,
      requester,
      remoteAddress: context.ip,
    })
    const browser = cookie().read(context.req.headers.cookie)
    if (browser !== undefined) request.browser = browser
    admission.admit(route, request)
    const query = {
      ...(route.query && parseQuery(route.query, match.query)),
      ...(route.paged && knownVersion(context)),
    }
    const body = route.request ? await readJsonBody(context.req, bodyLimitBytes) : undefined
    const run = () =>
      route.run(operations, { context: request, params, body, query, queryText: match.query })
    writeAnswer(context, match, await admission.attempt(route, request, run))
  }
}

function knownVersion({ req }: HttpContext): { unlessVersion?: string } {
  const unlessVersion = versionNamedBy(req.headers['if-none-match'])
  return unlessVersion === undefined ? {} : { unlessVersion }
}

function writeAnswer(context: HttpContext, match: Match, answer: unknown): void {
  const { route } = match
  context.status = route.status
  if (route.headers) context.set(route.headers)
  if (route.replies) writeReply(context, answer as Reply)
  else if (route.paged) writePage(context, match, answer as Page<unknown>)
  else if (route.contentType) writeText(context, route.contentType, String(answer))
  else if (route.response) writeJson(context, answer)
  else writeEmpty(context)
}

function writeReply(context: HttpContext, reply: Reply): void {
  context.status = reply.status
  context.set({ ...reply.headers })
  if (reply.cookie !== undefined) context.set('Set-Cookie', reply.cookie)
  if (reply.contentType) writeText(context, reply.contentType, reply.body ?? '')
  else writeEmpty(context)
}

function writePage(context: HttpContext, { query }: Match, page: Page<unknown>): void {
  const tag = entityTagOf(page)
  context.set({ ETag: tag, 'Cache-Control': 'private, no-cache' })
  context.append('Vary', 'Fogbow-User-Token')
  if (page.next !== undefined) {
    context.set('Link', nextLink(pathOf(context.req.url ?? ''), query, page.next))
  }
  if (isUnchanged(context.req.headers['if-none-match'], tag)) context.status = 304
  else writeJson(context, page.items)
}

function writeJson(context: HttpContext, value: unknown): void {
  writeText(context, 'application/json; charset=utf-8', JSON.stringify(value))
}

function writeText(context: HttpContext, type: string, text: string): void {
  context.set('Content-Type', type)
  context.body = text
}

/** No bytes at all, as clients of the original service expect, and not the JSON text `null`. */
function writeEmpty(context: HttpContext): void {
  context.body = ''
  context.remove('Content-Type')
}
