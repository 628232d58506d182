import { FogbowError, type Schema } from '@fogbow/plugin-sdk'
import type { MemberId, RemoteCall, RemoteMethod } from '../contract.ts'

const text = (maxLength: number) => ({ type: 'string', maxLength }) as const

const revocation = {
  type: 'object',
  required: ['package', 'versions', 'action', 'reason', 'since'],
  properties: {
    package: text(214),
    versions: text(256),
    hash: text(64),
    action: text(32),
    reason: text(1024),
    url: text(1024),
    since: text(64),
  },
} as const

const vetted = {
  type: 'object',
  required: ['package', 'version', 'level'],
  properties: { package: text(214), version: text(256), integrity: text(128), level: text(32) },
} as const

/** What a site tells others of plugins: what it revoked, and what it runs and how far it trusts that. */
export interface ToldOfPlugins {
  revocations: readonly object[]
  vetted: readonly object[]
}

/** Each site decides whom of the others it believes. */
export const sharedTrustMethods: readonly RemoteMethod[] = [
  {
    name: 'tellOfPlugins',
    effect: 'read',
    direction: 'to provider',
    onBehalf: false,
    aboutExisting: true,
    params: { type: 'object', properties: {}, additionalProperties: false } as Schema,
    result: {
      type: 'object',
      required: ['revocations', 'vetted'],
      properties: {
        revocations: { type: 'array', maxItems: 10_000, items: revocation },
        vetted: { type: 'array', maxItems: 10_000, items: vetted },
      },
    } as Schema,
    timeoutMs: 10_000,
  },
]

/** A set of remote methods beside that of allocation. */
export interface RemoteService {
  readonly methods: readonly RemoteMethod[]
  answer(call: RemoteCall): Promise<unknown>
}

/** @param tell - what this site says at present */
export function createSharedTrust(tell: () => Promise<ToldOfPlugins>): RemoteService {
  return {
    methods: sharedTrustMethods,
    async answer({ method }) {
      if (method.name === 'tellOfPlugins') return tell()
      throw new FogbowError('not_implemented', `There is no ${method.name}`)
    },
  }
}

/** Asks one member. @throws as `Federation.call` */
export async function askOfPlugins(
  federation: { call(member: MemberId, method: string, params: object): Promise<unknown> },
  member: MemberId,
): Promise<ToldOfPlugins> {
  return (await federation.call(member, 'tellOfPlugins', {})) as ToldOfPlugins
}
