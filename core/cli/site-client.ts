import { CommandError, exitCodes } from './exit.ts'
import type { Row } from './table.ts'
import { printable } from './terminal.ts'

export interface SiteRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Such as `/ras/computes`; parts from outside are already percent-encoded. */
  path: string
  query?: Record<string, string | number | readonly string[] | undefined>
  body?: unknown
  /** Sent without a token. */
  open?: boolean
  /** Makes a POST safe to repeat. */
  idempotencyKey?: string
  /** Answers 304 without a body when nothing changed since. */
  etag?: string | undefined
}

export interface SiteAnswer {
  status: number
  body: unknown
  headers: Headers
}

/** The list of an answer. */
export function listOf<Item = Row>({ body }: SiteAnswer): Item[] {
  if (Array.isArray(body)) return body
  throw notASite('a list')
}

/** The object of an answer. */
export function fieldsOf<Fields = Row>({ body }: SiteAnswer): Fields {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Fields
  throw notASite('an object')
}

/** The REST API of one site, as one user. */
export interface SiteClient {
  readonly url: string
  readonly loggedIn: boolean
  /** @throws CommandError for every answer from 300 on except 304, and when nobody answers */
  send(request: SiteRequest): Promise<SiteAnswer>
}

/** An answer with which the site refused, or failed to do, what was asked. */
export class RefusedError extends CommandError {
  readonly status: number
  readonly retryAfterMs: number | undefined

  constructor(status: number, message: string, hint?: string, retryAfterMs?: number) {
    super(status === 401 ? exitCodes.notLoggedIn : exitCodes.failed, message, hint)
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

export class UnreachableError extends CommandError {
  constructor(message: string, hint: string | undefined, cause: unknown) {
    super(exitCodes.unreachable, message, hint, { cause })
  }
}

export interface SiteClientOptions {
  url: string
  token?: string | undefined
  /** Longest wait for one answer; the site has its own, shorter limits for clouds and peers. */
  answerTimeoutMs?: number
}

const LOG_IN = 'log in with: fogbow login'

export function createSiteClient(options: SiteClientOptions): SiteClient {
  const { url, token, answerTimeoutMs = 120_000 } = options

  async function exchange(request: SiteRequest): Promise<SiteAnswer> {
    const response = await fetch(addressOf(url, request), {
      method: request.method ?? 'GET',
      headers: headersOf(request, token),
      // A redirect would carry the token to wherever it points.
      redirect: 'manual',
      signal: AbortSignal.timeout(answerTimeoutMs),
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
    })
    const body = parseBody(await response.text())
    return { status: response.status, headers: response.headers, body }
  }

  async function exchangeTwiceIfLost(request: SiteRequest): Promise<SiteAnswer> {
    try {
      return await exchange(request)
    } catch (error) {
      if (!isLostConnection(error) || !isRepeatable(request)) throw error
      return await exchange(request)
    }
  }

  return {
    url,
    loggedIn: token !== undefined,
    async send(request) {
      if (!token && !request.open)
        throw new CommandError(exitCodes.notLoggedIn, `Not logged in to ${url}`, LOG_IN)
      let answer: SiteAnswer
      try {
        answer = await exchangeTwiceIfLost(request)
      } catch (error) {
        throw toUnreachable(url, error)
      }
      if (answer.status >= 300 && answer.status !== 304) throw toRefused(answer, url)
      return answer
    },
  }
}

function notASite(expected: string): CommandError {
  const message = `The answer is not ${expected}, as that of a Fogbow site would be`
  return new CommandError(exitCodes.failed, message, 'check the URL (--url, FOGBOW_URL)')
}

function addressOf(url: string, { path, query = {} }: SiteRequest): URL {
  const address = new URL(url + path)
  for (const [name, value] of Object.entries(query)) {
    for (const item of value === undefined ? [] : [value].flat())
      address.searchParams.append(name, String(item))
  }
  return address
}

function headersOf(request: SiteRequest, token: string | undefined): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (request.body !== undefined) headers['content-type'] = 'application/json'
  if (token && !request.open) headers['fogbow-user-token'] = token
  if (request.idempotencyKey) headers['idempotency-key'] = request.idempotencyKey
  if (request.etag) headers['if-none-match'] = request.etag
  return headers
}

/** A body that is not JSON, such as the page of a proxy, tells a user nothing. */
function parseBody(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRepeatable(request: SiteRequest): boolean {
  return request.method !== 'POST' || request.idempotencyKey !== undefined
}

function causeCode(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

function isLostConnection(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(causeCode(error))
}

function toUnreachable(url: string, error: unknown): UnreachableError {
  const code = causeCode(error)
  const isLocal = /\/\/(localhost|127\.|\[::1\])/.test(url)
  if (code === 'ECONNREFUSED') {
    const hint = isLocal
      ? 'start a site with: fogbow start'
      : 'check the URL, or start the site there with: fogbow start'
    return new UnreachableError(`Nothing listens at ${url}`, hint, error)
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new UnreachableError(`No such host: ${url}`, 'check the URL (--url, FOGBOW_URL)', error)
  if (error instanceof Error && error.name === 'TimeoutError')
    return new UnreachableError(`${url} did not answer in time`, undefined, error)
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const why = reason instanceof Error ? reason.message : String(reason)
  return new UnreachableError(`The connection to ${url} failed: ${why}`, undefined, error)
}

function toRefused({ status, body, headers }: SiteAnswer, url: string): RefusedError {
  const said = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  const text = (name: string) => (typeof said[name] === 'string' ? said[name] : undefined)
  const location = status < 400 ? headers.get('location') : null
  const message = text('message') ?? (location ? `${url} redirects to ${location}` : undefined)
  const field = text('field')
  const requestId = text('requestId') ?? headers.get('x-request-id')
  const parts = [message ?? `${url} answered with status ${status}`]
  if (field && !message?.includes(field)) parts.push(`(field ${field})`)
  if (requestId && status >= 400) parts.push(`[request ${requestId}]`)
  const retryAfterS = Number(headers.get('retry-after') ?? Number.NaN)
  return new RefusedError(
    status,
    printable(parts.join(' ')),
    hintFor(status, retryAfterS),
    Number.isFinite(retryAfterS) ? retryAfterS * 1000 : undefined,
  )
}

function hintFor(status: number, retryAfterS: number): string | undefined {
  if (status < 400) return 'give the final URL with --url'
  if (status === 401) return LOG_IN
  if (status === 403) return 'an administrator of the site decides who may do this'
  if (status === 429) return `try again in ${retryAfterS || 'a few'} s`
  if (status === 500) return "the site's log has the cause under the request id"
  return undefined
}
