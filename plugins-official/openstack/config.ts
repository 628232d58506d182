/** What the administrator wrote, valid against the schema of the manifest. */
export interface Settings {
  authUrl: string
  services?: string[]
  region?: string
  interface?: 'public' | 'internal' | 'admin'
  settleSeconds?: number
  compute?: {
    defaultNetwork?: string
    bootFrom?: 'image' | 'volume'
    volumeType?: string
    availabilityZone?: string
  }
  volume?: { types?: Record<string, Record<string, string>> }
  network?: {
    defaultCidr?: string
    router?: string
    dnsServers?: string[]
    externalNetwork?: string
  }
  image?: { visibilities?: string[] }
  mapper?: { fallback?: string }
  login?: {
    identityProvider?: string
    domain?: string
    project?: string
    roles?: Record<string, string[]>
    recheckSeconds?: number
  }
}

export const defaults = {
  interface: 'public',
  settleSeconds: 30,
  cidr: '192.168.0.0/24',
  domain: 'Default',
  recheckSeconds: 30,
  visibilities: ['public', 'private', 'shared'],
} as const
