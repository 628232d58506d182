import { FogbowError } from '@fogbow/plugin-sdk'

/** Name of a claim, or a way down to one that is nested: `realm_access.roles`, or its parts one by one. */
export type ClaimPath = string | string[]

/** What the administrator wrote, valid against the schema of the manifest. */
export interface Settings {
  issuer: string
  clientId: string
  clientAuthentication?: 'basic' | 'post' | 'none'
  hosts?: string[]
  identityProvider?: string
  scope?: string
  authorizationParameters?: Record<string, string>
  tokenLifetimeSeconds?: number
  clockToleranceSeconds?: number
  algorithms?: string[]
  userInfo?: boolean
  claims?: ClaimSettings
  accessTokens?: AccessTokenSettings
  machineLogin?: { scope?: string; resource?: string }
}

export interface ClaimSettings {
  id?: ClaimPath
  name?: ClaimPath
  roles?: { from?: ClaimPath[]; map?: Record<string, string[]>; default?: string[] }
  attributes?: Record<string, ClaimPath>
  require?: { claim: ClaimPath; values?: string[] }[]
}

export interface AccessTokenSettings {
  audience: string
  clients?: string[]
  introspection?: 'never' | 'opaque' | 'always'
  recheckSeconds?: number
}

export const defaults = {
  clientAuthentication: 'basic',
  scope: 'openid profile email',
  tokenLifetimeSeconds: 28_800,
  clockToleranceSeconds: 30,
  algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
  introspection: 'never',
  recheckSeconds: 30,
} as const

/** What a schema cannot say. @throws configuration_error that names the key */
export function checkSettings({ issuer, scope = defaults.scope }: Settings): void {
  const { protocol } = new URL(issuer)
  if (protocol !== 'https:' && !isOnThisMachine(issuer))
    throw new FogbowError(
      'configuration_error',
      `config.issuer: ${issuer} must begin with https: whoever is on the way could log in as anybody`,
    )
  if (!scope.split(' ').includes('openid'))
    throw new FogbowError('configuration_error', "config.scope must contain 'openid'")
}

export function isOnThisMachine(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname)
}
