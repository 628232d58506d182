import { hash } from 'node:crypto'
import type { ErrorRecord, FogbowError } from '@fogbow/plugin-sdk'
import type { RemoteMethod } from '../contract.ts'
import { canonicalJson } from './canonical-json.ts'

/** What became of a command, once that is known. */
export type CommandOutcome =
  | { readonly result: unknown }
  | { readonly error: ErrorRecord }
  /** It was not begun in time and never will be: nothing was done. */
  | { readonly expired: true }

/** A command as it is written down before it is sent. */
export interface NewCommand {
  readonly id: string
  readonly member: string
  readonly method: string
  readonly key: string | undefined
  readonly paramsHash: string
  readonly object: string | undefined
  readonly generation: number | undefined
  readonly request: string
  readonly expiresAt: number
}

/** A command whose outcome is not known yet. */
export interface Command extends NewCommand {
  /** Of the request. */
  readonly hash: string
  readonly waiting: Set<Waiting>
  state: 'new' | 'pausing' | 'queued' | 'under way' | 'ended'
  attempts: number
  /** Whether an attempt may have reached the member. */
  maybeSent: boolean
  /** A newer state of the same object is on its way: this one is not tried again. */
  isSuperseded: boolean
  /** Why the last attempt brought no outcome. */
  hint: string
  cancelPause: () => void
}

/** Somebody waits for the outcome. */
export interface Waiting {
  settle(outcome: CommandOutcome): void
  fail(error: FogbowError): void
}

export function paramsHashOf(method: string, params: unknown): string {
  return hash('sha256', canonicalJson([method, params]), 'base64url')
}

/** What the parameters are about, when only its newest state matters. */
export function objectOf(
  { name, newest }: RemoteMethod,
  params: Readonly<Record<string, unknown>>,
): { object: string | undefined; generation: number | undefined } {
  const object = newest && params[newest.of]
  const generation = newest && params[newest.by]
  if (typeof object !== 'string' || typeof generation !== 'number')
    return { object: undefined, generation: undefined }
  return { object: `${name}/${object}`, generation }
}
