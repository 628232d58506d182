import type { CallContext } from '../host.ts'
import { schema, type TypeOf } from '../schema/json-schema.ts'
import { defineContract } from './define-contract.ts'
import { tokenValue } from './shapes.ts'

const uri = { type: 'string', pattern: '^https?://', maxLength: 8192 } as const

/** What the site keeps between two calls and hands back as it was: sealed, for minutes, and never to two callers. */
const keptFields = {
  type: 'object',
  maxProperties: 32,
  propertyNames: { maxLength: 64 },
  additionalProperties: { type: 'string', maxLength: 8192 },
} as const
const kept = schema(keptFields)
export type KeptLogin = Record<string, string>

const begunLogin = schema({
  type: 'object',
  required: ['url', 'kept'],
  properties: {
    url: { ...uri, description: 'Where the browser goes' },
    kept: keptFields,
  },
})
export type BegunLogin = TypeOf<typeof begunLogin>

const begunDeviceLogin = schema({
  type: 'object',
  required: ['userCode', 'verificationUri', 'expiresInSeconds', 'intervalSeconds', 'kept'],
  properties: {
    userCode: { type: 'string', minLength: 1, maxLength: 64, description: 'What the user types' },
    verificationUri: { ...uri, description: 'Where the user types it' },
    verificationUriComplete: { ...uri, description: 'The same with the code in it' },
    expiresInSeconds: { type: 'integer', minimum: 1, maximum: 3600 },
    intervalSeconds: {
      type: 'integer',
      minimum: 1,
      maximum: 600,
      description: 'Least time between two polls',
    },
    kept: keptFields,
  },
})
export type BegunDeviceLogin = TypeOf<typeof begunDeviceLogin>

const polledLogin = schema({
  type: 'object',
  required: ['status'],
  properties: {
    status: { type: 'string', enum: ['done', 'pending', 'slow_down'] },
    tokenValue: { type: 'string', minLength: 1, maxLength: 16384, description: 'When it is done' },
  },
})
export type PolledLogin = TypeOf<typeof polledLogin>

const endedSession = schema({
  type: 'object',
  properties: {
    url: {
      ...uri,
      description: 'Where the browser goes; absent when the provider has no such page',
    },
  },
})
export type EndedSession = TypeOf<typeof endedSession>

/**
 * Log-in at an identity provider that the user visits: OpenID Connect and the like. The site serves the pages and the
 * callback, keeps what is pending, and sees to it that a login ends in the browser in which it began.
 */
export const loginContract = defineContract({
  kind: 'login',
  version: 1,
  description: 'Logs people in at an identity provider that they visit themselves',
  methods: {
    beginLogin: {
      params: [
        { name: 'redirectUri', schema: schema(uri) },
        {
          name: 'state',
          schema: schema({ type: 'string', minLength: 32, maxLength: 128, pattern: '^[\\w-]+$' }),
        },
      ],
      result: begunLogin,
      timeoutMs: 15_000,
      description:
        'Answers where the browser goes; `state` must come back to the redirect URI. Throws `unavailable_provider` when the provider does not answer.',
    },
    completeLogin: {
      params: [
        { name: 'redirectUri', schema: schema(uri) },
        {
          name: 'parameters',
          schema: schema({
            type: 'object',
            maxProperties: 32,
            additionalProperties: { type: 'string', maxLength: 16384 },
          }),
        },
        { name: 'kept', schema: kept },
      ],
      result: tokenValue,
      timeoutMs: 30_000,
      description:
        'Makes a token of what the provider sent to the redirect URI. Throws `unauthenticated` when that is not good, `unauthorized` when the user or the provider refused.',
    },
    beginDeviceLogin: {
      params: [],
      result: begunDeviceLogin,
      timeoutMs: 15_000,
      optional: true,
      description: 'Begins a login in a browser elsewhere, for programs without one (RFC 8628).',
    },
    pollDeviceLogin: {
      params: [{ name: 'kept', schema: kept }],
      result: polledLogin,
      timeoutMs: 30_000,
      optional: true,
      description:
        'Asks once whether the user is through. Throws `unauthorized` when he refused, `unauthenticated` when the code has expired.',
    },
    endSession: {
      params: [{ name: 'returnUri', schema: schema(uri) }],
      result: endedSession,
      timeoutMs: 15_000,
      optional: true,
      description: 'Answers where the browser ends its session at the provider.',
    },
  },
})

export interface LoginPlugin {
  /** @param redirectUri - where the provider sends the browser, with parameters for `completeLogin` */
  beginLogin(redirectUri: string, state: string, call: CallContext): Promise<BegunLogin>
  completeLogin(
    redirectUri: string,
    parameters: Readonly<Record<string, string>>,
    kept: KeptLogin,
    call: CallContext,
  ): Promise<string>
  beginDeviceLogin?(call: CallContext): Promise<BegunDeviceLogin>
  pollDeviceLogin?(kept: KeptLogin, call: CallContext): Promise<PolledLogin>
  endSession?(returnUri: string, call: CallContext): Promise<EndedSession>
}
