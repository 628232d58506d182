import type { RequestListener } from 'node:http'
import type { Certificates } from './certificates.ts'
import { listen } from './https-server.ts'

interface ProviderClass {
  new (issuer: string, settings: object): { callback(): RequestListener }
}

/** The package `oidc-provider` itself, with one client. @returns its issuer */
export async function startOidcProvider(certificates: Certificates): Promise<string> {
  // Its types are there only once the packages of this folder are installed.
  const name = 'oidc-provider'
  const { default: Provider } = (await import(name)) as { default: ProviderClass }
  let serve: RequestListener = (_request, response) => response.end()
  const issuer = await listen('login', certificates, (request, response) =>
    serve(request, response),
  )
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'client-1',
        client_secret: 'a secret',
        grant_types: ['client_credentials', 'authorization_code'],
        redirect_uris: ['https://site.example/callback'],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    scopes: ['openid', 'compute'],
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      devInteractions: { enabled: false },
    },
  })
  serve = provider.callback()
  return issuer
}
