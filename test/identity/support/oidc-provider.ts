import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
} from 'jose'

interface ProviderClass {
  new (issuer: string, settings: object): { callback(): RequestListener; proxy: boolean }
}

/** What goes wrong at the provider. */
export type Condition = 'up' | 'down' | 'without keys' | 'failing' | 'silent'

/** The package `oidc-provider` itself, on this machine, with people, machines and a way to make it ill. */
export interface RunningProvider {
  issuer: string
  condition: Condition
  /** Paths that were asked for, since the list was last emptied. */
  readonly asked: string[]
  /** Lets the site at this address come back to it, beside nobody else. */
  register(siteUrl: string, source: string): void
  /** From now on it signs with a new key, and does not publish the one before. */
  rotateKeys(): Promise<void>
  /** A token as the provider would sign it, with claims that it would not. */
  sign(claims: JWTPayload, header?: { alg?: string; typ?: string; kid?: string }): Promise<string>
  /** Of the key that it signs with. */
  publicKey(): JWK
  close(): Promise<void>
}

export const AUDIENCE = 'https://site-a.example/api'
/** Whose tokens are opaque. */
export const OPAQUE_RESOURCE = 'https://opaque.example/api'
export const SITE_CLIENT = { id: 'fogbow-site', secret: 'secret of the site' }
export const MACHINE = { clientId: 'robot', clientSecret: 'secret of the robot' }
export const OPAQUE_MACHINE = { clientId: 'opaque-robot', clientSecret: 'secret of another robot' }

/** What the provider says of everybody: nested, as at Keycloak. */
const people: Record<string, object> = {
  ana: {
    name: 'Ana Souza',
    email: 'ana@example.org',
    realm_access: { roles: ['cloud-users', 'cloud-admins'] },
    department: 'physics',
  },
  bob: {
    name: 'Bob <script>alert(1)</script>',
    realm_access: { roles: ['cloud-users'] },
    department: 'physics',
  },
  eve: { name: 'Eve', realm_access: { roles: ['cloud-users'] } },
}

export interface ProviderOptions {
  /** Where the sites' callbacks are. */
  redirectUris?: string[]
  logoutUris?: string[]
  /** How long a code for a device is good, s. */
  deviceSeconds?: number
}

export async function startOidcProvider(options: ProviderOptions): Promise<RunningProvider> {
  // Types of the package are not installed.
  const name = 'oidc-provider'
  const { default: Provider } = (await import(name)) as { default: ProviderClass }
  let { redirectUris = ['http://127.0.0.1:1/nowhere'], logoutUris = [] } = options
  let keys = await createKey()
  let serve: RequestListener = (_request, response) => response.end()
  const server = createServer((request, response) => answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`

  const running: RunningProvider = {
    issuer,
    condition: 'up',
    asked: [],
    register(siteUrl, source) {
      redirectUris = [`${siteUrl}/as/login/${source}/callback`]
      logoutUris = [`${siteUrl}/login`]
      start()
    },
    async rotateKeys() {
      keys = await createKey()
      start()
    },
    sign: (claims, header = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: keys.kid, ...header })
        .sign(keys.privateKey),
    publicKey: () => keys.publicJwk,
    close: () => stop(server),
  }

  const answer: RequestListener = (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? ''
    running.asked.push(path)
    const isKeys = path === '/jwks'
    if (running.condition === 'down' || (running.condition === 'without keys' && isKeys))
      request.socket.destroy()
    else if (running.condition === 'silent') return
    else if (running.condition === 'failing') response.writeHead(500).end('{"oops":true}')
    else serve(request, response)
  }

  /** Its adapter keeps sessions and codes for the whole process: a new one goes on with them. */
  function start(): void {
    serve = new Provider(
      issuer,
      settings({ ...options, redirectUris, logoutUris }, keys.jwk),
    ).callback()
  }
  start()
  return running
}

async function createKey() {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const kid = crypto.randomUUID()
  return {
    kid,
    privateKey: privateKey as CryptoKey,
    jwk: { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' },
    publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' },
  }
}

function settings(
  { redirectUris, logoutUris, deviceSeconds = 600 }: ProviderOptions,
  key: JWK,
): object {
  return {
    clients: [
      {
        client_id: SITE_CLIENT.id,
        client_secret: SITE_CLIENT.secret,
        grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
        redirect_uris: redirectUris,
        post_logout_redirect_uris: logoutUris,
      },
      ...[MACHINE, OPAQUE_MACHINE].map(({ clientId, clientSecret }) => ({
        client_id: clientId,
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      })),
    ],
    jwks: { keys: [key] },
    cookies: { keys: ['for tests only'] },
    pkce: { required: () => true },
    claims: { openid: ['sub'], profile: ['name', 'realm_access', 'department'], email: ['email'] },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, ...people[id] }),
    }),
    ttl: { DeviceCode: deviceSeconds, Interaction: 600, Session: 3600, Grant: 3600 },
    features: {
      deviceFlow: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        // The site asks about tokens of others.
        allowedPolicy: () => true,
      },
      revocation: { enabled: true, allowedPolicy: () => true },
      rpInitiatedLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context: unknown, resource: string) => ({
          scope: 'compute',
          audience: resource,
          accessTokenTTL: 3600,
          accessTokenFormat: resource === OPAQUE_RESOURCE ? 'opaque' : 'jwt',
        }),
      },
    },
  }
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
