import { type ErrorCode, FogbowError } from '@fogbow/plugin-sdk'

/** What was asked, and what came back. */
export interface Refusal {
  /** Such as `compute`. */
  service: string
  method: string
  status: number
  body: string
  retryAfterSeconds?: number
}

const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid_parameter',
  401: 'unauthenticated',
  403: 'unauthorized',
  404: 'instance_not_found',
  409: 'unacceptable_operation',
  413: 'payload_too_large',
  429: 'too_many_requests',
  501: 'not_implemented',
  504: 'timeout',
}

/**
 * An answer that is no success, in the words of the catalogue of errors and with the cloud's own message. Answers of
 * 500 and above say nothing of what was done.
 */
export function toError(refusal: Refusal): FogbowError {
  const { service, status, retryAfterSeconds } = refusal
  const message = messageOf(refusal.body)
  const words = message === '' ? `it answered ${status}` : message
  return new FogbowError(codeOf(refusal, message), `${service}: ${words}`, {
    details: {
      status,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    },
  })
}

function codeOf({ status, method, body }: Refusal, message: string): ErrorCode {
  if (status < 500 && isAboutQuota(status, body, message)) return 'quota_exceeded'
  // What is in use, or not in a state in which it can go, is no malformed request, whatever Cinder calls it.
  if (status === 400 && method === 'DELETE') return 'unacceptable_operation'
  return codes[status] ?? (status >= 500 ? 'unavailable_provider' : 'unacceptable_operation')
}

/** Nova says 403, Neutron 409 `OverQuota`, Cinder and Glance 413. */
function isAboutQuota(status: number, body: string, message: string): boolean {
  if (/"OverQuota"|"overLimit"/.test(body)) return status !== 429
  return (status === 403 || status === 409 || status === 413) && /quota/i.test(message)
}

const LONGEST = 500

/**
 * Services put it into `{"<kind of error>": {"message": …}}`, `{"error": {"message": …}}`, `{"message": …}` or, as
 * Glance does, into HTML.
 */
function messageOf(body: string): string {
  const found = findMessage(parse(body)) ?? (body.trimStart().startsWith('<') ? textOf(body) : body)
  return found.replace(/\s+/g, ' ').trim().slice(0, LONGEST)
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function findMessage(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return undefined
  if ('message' in value && typeof value.message === 'string') return value.message
  const [first] = Object.values(value)
  return findMessage(Array.isArray(first) ? first[0] : first)
}

function textOf(html: string): string {
  return html.replace(/<(head|style|script)[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, ' ')
}
