import {
  asFogbowError,
  type ErrorDetails,
  type ErrorRecord,
  errorCatalogue,
  FogbowError,
  fromErrorRecord,
  isErrorCode,
  toErrorRecord,
} from '@fogbow/plugin-sdk'
import { type Envelope, Refusal } from '../trust/index.ts'

/** What the claims of a request say. */
export interface RequestClaims {
  readonly method: string
  readonly params: unknown
  readonly user?: unknown
  /** Of a list: how many items are taken at a time. */
  readonly limit?: number
}

/** What the claims of an answer say. */
export type Said =
  /** `next`: of a list, where its following page begins. */
  | { readonly result: unknown; readonly next?: string }
  /** `final`: no attempt with the same id can have another outcome. */
  | { readonly error: ErrorRecord; readonly final: boolean }
  /** It was begun and goes on. */
  | { readonly pending: true }
  /** It was not begun and never will be: it came too late, or its id stands for another request. */
  | { readonly refused: 'expired' | 'conflict' }

const LONGEST_DETAILS = 2048

export function readRequest({ claims }: Envelope): RequestClaims {
  const { method, params, user, limit } = claims
  if (typeof method !== 'string') throw new Refusal('malformed', 'it names no method')
  return {
    method,
    params,
    ...(user !== undefined && { user }),
    ...(typeof limit === 'number' && { limit }),
  }
}

/** @throws Refusal `wrong-request` unless it answers that very request */
export function readAnswer({ id, claims }: Envelope, request: { id: string; hash: string }): Said {
  if (id !== request.id || claims.to !== request.hash)
    throw new Refusal('wrong-request', `it answers ${id}, not ${request.id}`)
  const { result, next, error, final, pending, refused } = claims
  if (error !== undefined) return { error: readError(error), final: final === true }
  if (pending === true) return { pending }
  if (refused === 'expired' || refused === 'conflict') return { refused }
  return typeof next === 'string' ? { result, next } : { result }
}

/** What the claims of an answer are. */
export function answerClaims(request: { hash: string }, said: Said): Record<string, unknown> {
  return { to: request.hash, ...said }
}

/** A refusal is final; of what may have happened the member may ask again. */
export function errorSaid(thrown: unknown): Extract<Said, { error: ErrorRecord }> {
  const error = asFogbowError(thrown)
  const record = toErrorRecord(error)
  if (record.details && JSON.stringify(record.details).length > LONGEST_DETAILS)
    delete record.details
  // The inside of a defect stays inside.
  if (error.code === 'internal_error') record.message = 'the site could not answer: a defect of it'
  return { error: record, final: error.outcome === 'refused' }
}

/** What a member said went wrong, as it is thrown here. */
export function errorOf(record: ErrorRecord): FogbowError {
  return fromErrorRecord(record)
}

/** Codes of a newer version count as defects: their outcome is not known. */
function readError(error: unknown): ErrorRecord {
  if (typeof error !== 'object' || error === null || !('code' in error) || !('message' in error))
    throw new Refusal('malformed', 'its error has no code or message')
  const code = isErrorCode(error.code) ? error.code : 'internal_error'
  const record: ErrorRecord = { code, message: String(error.message).slice(0, 1024) }
  if ('details' in error && typeof error.details === 'object' && error.details !== null)
    record.details = error.details as ErrorDetails
  return record
}

export function isRefusedCode(record: ErrorRecord): boolean {
  return isErrorCode(record.code) && errorCatalogue[record.code].outcome === 'refused'
}

/** The member cannot be asked, or did not answer: what it did is not known. */
export function unavailable(member: string, what: string): FogbowError {
  return new FogbowError('unavailable_provider', `${member} ${what}`)
}
