/** What is known of an operation that ended with an error. */
export type Outcome =
  /** Refused: nothing was done, and repeating the same request would be refused again. */
  | 'refused'
  /** Unknown: it may or may not have been executed, or may succeed later. Never treated as failed. */
  | 'unknown'

export interface ErrorKind {
  /** HTTP status (RFC 9110) with which the REST API answers. */
  status: number
  /** Stanza error condition (RFC 6120, section 8.3.3) with which a federated call answers. */
  condition: string
  outcome: Outcome
  meaning: string
}

/** The error catalogue: every error that users, plugins and peers meet has one of these codes. */
export const errorCatalogue = {
  invalid_parameter: {
    status: 400,
    condition: 'bad-request',
    outcome: 'refused',
    meaning: 'A field is missing, malformed or contradicts another; the message names it.',
  },
  unauthenticated: {
    status: 401,
    condition: 'not-authorized',
    outcome: 'unknown',
    meaning:
      'No valid token: missing, tampered with, expired or revoked; or the cloud refused its login.',
  },
  unauthorized: {
    status: 403,
    condition: 'forbidden',
    outcome: 'refused',
    meaning: 'The user is known but may not do this.',
  },
  instance_not_found: {
    status: 404,
    condition: 'item-not-found',
    outcome: 'refused',
    meaning: 'The order, instance, image or spec does not exist, or belongs to another user.',
  },
  not_found: {
    status: 404,
    condition: 'item-not-found',
    outcome: 'refused',
    meaning: 'No such path, cloud or provider.',
  },
  method_not_allowed: {
    status: 405,
    condition: 'not-allowed',
    outcome: 'refused',
    meaning: 'The path exists but does not offer this method.',
  },
  unacceptable_operation: {
    status: 406,
    condition: 'not-acceptable',
    outcome: 'refused',
    meaning:
      'Not possible in the present state: deletion already running, dependants, no flavor suits.',
  },
  configuration_error: {
    status: 409,
    condition: 'conflict',
    outcome: 'unknown',
    meaning: 'The site or a plugin is configured wrongly; an administrator has to act.',
  },
  quota_exceeded: {
    status: 409,
    condition: 'resource-constraint',
    outcome: 'refused',
    meaning: 'The request would exceed a quota of the user or of the cloud account.',
  },
  payload_too_large: {
    status: 413,
    condition: 'policy-violation',
    outcome: 'refused',
    meaning: 'The body or a value is larger than allowed.',
  },
  unsupported_media_type: {
    status: 415,
    condition: 'bad-request',
    outcome: 'refused',
    meaning: 'The body is not sent as application/json.',
  },
  idempotency_conflict: {
    status: 422,
    condition: 'conflict',
    outcome: 'refused',
    meaning: 'The Idempotency-Key was used before with another request.',
  },
  too_many_requests: {
    status: 429,
    condition: 'policy-violation',
    outcome: 'unknown',
    meaning: 'Rate limit reached; retry after the stated time.',
  },
  internal_error: {
    status: 500,
    condition: 'internal-server-error',
    outcome: 'unknown',
    meaning: 'A defect of the site; the log has the cause under the request id.',
  },
  not_implemented: {
    status: 501,
    condition: 'feature-not-implemented',
    outcome: 'refused',
    meaning: 'The cloud, its plugin or this site cannot do this operation.',
  },
  plugin_failure: {
    status: 502,
    condition: 'internal-server-error',
    outcome: 'unknown',
    meaning:
      'A plugin crashed, was stopped or answered with something its contract does not allow.',
  },
  unavailable_provider: {
    status: 503,
    condition: 'remote-server-not-found',
    outcome: 'unknown',
    meaning: 'The cloud, the peer or the plugin does not answer at present.',
  },
  timeout: {
    status: 504,
    condition: 'remote-server-timeout',
    outcome: 'unknown',
    meaning: 'No answer within the time allowed.',
  },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorCatalogue

export interface ErrorDetails {
  /** The offending field, as a path such as `compute.vCPU`. */
  field?: string
  /** When it may be asked again: a site does not do it sooner, whatever its own pauses are. */
  retryAfterSeconds?: number
  [key: string]: unknown
}

/** Longest message that crosses a boundary, in characters. */
const MAX_MESSAGE = 1024

/**
 * The only error that crosses a boundary (sandbox, process, site). Branch on `code`, never on the class: after a
 * crossing it is another object. The message says who, what and which, and what to do.
 */
export class FogbowError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(
    code: ErrorCode,
    message: string,
    options: ErrorOptions & { details?: ErrorDetails } = {},
  ) {
    super(message.slice(0, MAX_MESSAGE), options)
    this.name = 'FogbowError'
    this.code = code
    this.details = options.details ?? {}
  }

  get status(): number {
    return errorCatalogue[this.code].status
  }

  /** `refused`: nothing was done. `unknown`: it may have been done, or may succeed later. */
  get outcome(): Outcome {
    return errorCatalogue[this.code].outcome
  }
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorCatalogue, code)
}

/** A bad field of a request; `field` is a path such as `compute.vCPU`. */
export function invalid(field: string, problem: string): FogbowError {
  return new FogbowError('invalid_parameter', `${field}: ${problem}`, { details: { field } })
}

/** An error as it crosses a boundary: plain data, no stack. */
export interface ErrorRecord {
  code: string
  message: string
  details?: ErrorDetails
}

export function toErrorRecord(error: unknown): ErrorRecord {
  // Each field is read once: an error of a plugin may answer differently the second time.
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (isErrorCode(code)) {
    const { message, details } = error as FogbowError
    const record: ErrorRecord = { code, message: String(message).slice(0, MAX_MESSAGE) }
    if (details && Object.keys(details).length > 0) record.details = details
    return record
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return { code: 'internal_error', message: message.slice(0, MAX_MESSAGE) }
}

export function fromErrorRecord(record: ErrorRecord): FogbowError {
  const code = isErrorCode(record.code) ? record.code : 'internal_error'
  return new FogbowError(
    code,
    String(record.message),
    record.details ? { details: record.details } : {},
  )
}

/** Any thrown value as a `FogbowError`; what is not in the catalogue becomes `internal_error` with its cause. */
export function asFogbowError(error: unknown): FogbowError {
  if (error instanceof FogbowError) return error
  const record = toErrorRecord(error)
  return new FogbowError(record.code as ErrorCode, record.message, {
    cause: error,
    ...(record.details && { details: record.details }),
  })
}
