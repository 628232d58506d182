import { type OrderedKind, orderedKind } from '@fogbow/plugin-sdk'
import { settingsOf } from './settings.ts'

/** What an instance can refer to, and that no part of the plugin makes: field → kind. */
export function foreignReferences(kinds: readonly string[]): Map<string, string> {
  const all = kinds.flatMap((kind) => {
    const ordered = orderedKind(kind)
    return ordered ? referencesOf(ordered) : []
  })
  return new Map(all.filter(([, kind]) => !kinds.includes(kind) || kind === 'image'))
}

function referencesOf({ references, request }: OrderedKind): [string, string][] {
  const image: [string, string][] = 'imageId' in request.properties ? [['imageId', 'image']] : []
  return [...Object.entries(references), ...image]
}

/** What stands for the cloud, so that the plugin works before it has one. */
export function cloudText(kinds: readonly string[]): string {
  const foreign = [...new Set(foreignReferences(kinds).values())]
  const there = foreign.map((kind) => `'${kind}/example-${kind}'`).join(', ')
  return `import { FogbowError, type PluginHost } from '@fogbow/plugin-sdk'
import type { Config } from './means.ts'

/** The part of an order that the cloud is told. */
export interface Ordered {
  orderId: string
  instanceId?: string
  request: object
}

export interface Cloud {
  /** Asked twice for one order, it makes one instance. @returns its id */
  make(kind: string, order: Ordered): Promise<string>
  /** What was asked for. @throws instance_not_found */
  find(kind: string, id: string): Promise<Record<string, unknown>>
  /** Without an instance id, whatever was made for the order; of what is gone nothing is left to do. */
  remove(kind: string, order: Ordered): Promise<void>
  count(kind: string): Promise<number>
  /** @throws instance_not_found */
  assertKnown(kind: string, id: string): Promise<void>
}

/** What the cloud has and nobody ordered: kind and id. */
const there: readonly string[] = [${there}]

/**
 * Stands for your cloud: instances are entries of the plugin's storage, ready at once. Put requests to your API here,
 * with host.fetch; an id made of the order id, or a tag with it, is what makes a repetition harmless.
 */
export function createCloud({ config, storage }: PluginHost<Config>): Cloud {
  const prefix = (kind: string) => \`\${config.project}/\${kind}/\`
  const idOf = (kind: string, orderId: string) => \`\${kind}-\${orderId}\`

  async function find(kind: string, id: string): Promise<Record<string, unknown>> {
    const request = await storage.get(prefix(kind) + id)
    if (request) return request as Record<string, unknown>
    throw new FogbowError('instance_not_found', \`\${kind} '\${id}' does not exist\`)
  }

  return {
    find,
    async make(kind, { orderId, request }) {
      const id = idOf(kind, orderId)
      await storage.set(prefix(kind) + id, request)
      return id
    },
    async remove(kind, { orderId, instanceId = idOf(kind, orderId) }) {
      await storage.delete(prefix(kind) + instanceId)
    },
    async count(kind) {
      return (await storage.list(prefix(kind))).length
    },
    async assertKnown(kind, id) {
      if (!there.includes(\`\${kind}/\${id}\`)) await find(kind, id)
    },
  }
}
`
}

export const tokensText = `import type { FederationUser, PluginHost } from '@fogbow/plugin-sdk'
import type { Config } from './means.ts'

/** What a token says. */
export interface Claims {
  id: string
  /** ms since the epoch */
  expiresAt: number
}

export interface Tokens {
  create(userId: string): Promise<string>
  /** What a token says, true or not; undefined when it is none. */
  read(text: string): Claims | undefined
  isGenuine(text: string): Promise<boolean>
  userOf(claims: Claims): FederationUser
}

/** Tokens of two parts: claims and their HMAC (RFC 2104) with SHA-256, both in base64url. */
export function createTokens({ clock, config, secrets }: PluginHost<Config>): Tokens {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const bytesOf = (text: string) => new TextEncoder().encode(text)

  async function sign(payload: string): Promise<string> {
    const secret = bytesOf(await secrets.get('signingKey'))
    const key = await crypto.subtle.importKey('raw', secret, algorithm, false, ['sign'])
    return toBase64Url(new Uint8Array(await crypto.subtle.sign('HMAC', key, bytesOf(payload))))
  }

  return {
    async create(id) {
      const claims: Claims = { id, expiresAt: clock.now() + config.tokenLifetimeSeconds * 1000 }
      const payload = toBase64Url(bytesOf(JSON.stringify(claims)))
      return \`\${payload}.\${await sign(payload)}\`
    },
    read(text) {
      const [payload = '', signature, ...more] = text.split('.')
      return signature && more.length === 0 ? readClaims(payload) : undefined
    },
    async isGenuine(text) {
      const [payload = '', signature] = text.split('.')
      return signature === (await sign(payload))
    },
    userOf: ({ id }) => ({ id, identityProviderId: config.site, name: id, roles: ['user'] }),
  }
}

function readClaims(payload: string): Claims | undefined {
  try {
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'))
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
    const { id, expiresAt } = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Claims>
    const isText = typeof id === 'string' && id.length > 0 && id.length <= 255
    const isTime = Number.isSafeInteger(expiresAt) && (expiresAt ?? -1) >= 0
    return isText && isTime ? { id, expiresAt: expiresAt ?? 0 } : undefined
  } catch {
    return undefined
  }
}

function toBase64Url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
`

/** What the parts are given, and what is configured. */
export function meansText(code: string): string {
  const uses = (name: string) => new RegExp(`\\b${name}\\.`).test(code)
  const types = [...(uses('cloud') ? ['Cloud'] : []), ...(uses('tokens') ? ['Tokens'] : [])]
  const imports = types.map((type) => `import type { ${type} } from './${type.toLowerCase()}.ts'\n`)
  const fields = types.map((type) => `  ${type.toLowerCase()}: ${type}\n`)
  const settings = settingsOf(code).map(
    ({ name, schema }) => `  ${name}: ${schema.type === 'integer' ? 'number' : 'string'}\n`,
  )
  return `import type { PluginHost } from '@fogbow/plugin-sdk'
${imports.join('')}
/** As the manifest describes it in package.json. */
export interface Config {
${settings.join('')}}

/** What the parts of the plugin share. */
export interface Means {
  host: PluginHost<Config>
${fields.join('')}}
`
}
