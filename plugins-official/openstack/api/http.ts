import { type CallContext, FogbowError, type PluginHost } from '@fogbow/plugin-sdk'
import { toError } from './errors.ts'

export interface HttpRequest {
  /** Such as `compute`, for messages. */
  service: string
  method: string
  url: string
  headers?: Readonly<Record<string, string>>
  body?: unknown
}

export interface HttpAnswer {
  status: number
  headers: Headers
  /** Parsed when it is JSON, undefined otherwise. */
  body: unknown
}

export interface Http {
  /** @throws FogbowError for every answer that is no success, and when there is none */
  send(request: HttpRequest, call: CallContext): Promise<HttpAnswer>
}

/** A service that asks for a longer pause is not waited for: whoever asked is told when to come again. */
const LONGEST_WAIT_MS = 5_000
const MOST_ATTEMPTS = 3

export function createHttp({ fetch, clock }: Pick<PluginHost, 'fetch' | 'clock'>): Http {
  /** Origin → when it may be asked again, ms since the epoch. */
  const pausedUntil = new Map<string, number>()

  async function pause(request: HttpRequest, call: CallContext): Promise<void> {
    const { origin } = new URL(request.url)
    const waitMs = (pausedUntil.get(origin) ?? 0) - clock.now()
    if (waitMs <= 0) return
    if (waitMs > LONGEST_WAIT_MS || clock.now() + waitMs > call.deadline)
      throw tooBusy(request.service, waitMs)
    await clock.sleep(waitMs, call.signal)
  }

  async function attempt(request: HttpRequest, call: CallContext): Promise<HttpAnswer> {
    const response = await exchange(fetch, request, call)
    if (response.status < 300) return response.answer
    const { service, method, url } = request
    const retryAfterSeconds = secondsOf(response.answer.headers.get('retry-after'), clock.now())
    if (retryAfterSeconds !== undefined && (response.status === 429 || response.status === 503))
      pausedUntil.set(new URL(url).origin, clock.now() + retryAfterSeconds * 1000)
    const refusal = { service, method, status: response.status, body: response.text }
    throw toError({ ...refusal, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) })
  }

  return {
    async send(request, call) {
      for (let attempts = 1; ; attempts += 1) {
        await pause(request, call)
        try {
          return await attempt(request, call)
        } catch (error) {
          if (attempts === MOST_ATTEMPTS || !mayRepeat(error, request)) throw error
        }
      }
    },
  }
}

/**
 * Only when the cloud said when. What was refused for its rate was not carried out; of a 503 that is not certain, so that
 * only what may be done twice is sent again.
 */
function mayRepeat(error: unknown, { method }: HttpRequest): boolean {
  if (!(error instanceof FogbowError)) return false
  const { status, retryAfterSeconds } = error.details
  if (retryAfterSeconds === undefined) return false
  return status === 429 || (status === 503 && (method === 'GET' || method === 'DELETE'))
}

async function exchange(fetch: PluginHost['fetch'], request: HttpRequest, call: CallContext) {
  const { service, method, url, headers = {}, body } = request
  try {
    const response = await fetch(url, {
      method,
      signal: call.signal,
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const answer = { status: response.status, headers: response.headers, body: parse(text) }
    return { status: response.status, text, answer }
  } catch (error) {
    throw noAnswer(service, error)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whatever went wrong on the way, nobody knows whether the request arrived. */
function noAnswer(service: string, error: unknown): FogbowError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const words = cause instanceof Error ? cause.message : String(cause)
  if (error instanceof Error && 'code' in error && error.code === 'unauthorized')
    return new FogbowError('configuration_error', `${service} cannot be reached: ${words}`)
  return new FogbowError('unavailable_provider', `${service} does not answer: ${words}`, {
    cause: error,
  })
}

function tooBusy(service: string, waitMs: number): FogbowError {
  const retryAfterSeconds = Math.ceil(waitMs / 1000)
  return new FogbowError(
    'too_many_requests',
    `${service} asked not to be asked again for ${retryAfterSeconds} s`,
    { details: { retryAfterSeconds } },
  )
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function secondsOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,6}$/.test(header.trim())) return Number(header)
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000))
}
