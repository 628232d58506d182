import type { Route } from './route.ts'
import { object, publicKey, version } from './views.ts'

const about = { tag: '/as log-in', needsToken: false } as const

const tokenRequest = {
  title: 'TokenRequest',
  type: 'object',
  required: ['credentials'],
  properties: {
    credentials: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description:
        'What the identity provider of this site asks for, such as username and password; at a site with several, `domain` says which is meant; or `loginTicket`, with which a browser came back from one',
    },
    publicKey: {
      type: 'string',
      description: 'Key of the service that is to read the token, as its `publicKey` answers',
    },
  },
}

const caller = object('Caller', {
  id: { type: 'string' },
  identityProviderId: { type: 'string' },
  name: { type: 'string' },
  roles: { type: 'array', items: { type: 'string' } },
  expiresAt: { type: 'integer', description: 'ms since the epoch' },
})

const logInPath = '/as/tokens'

/** Logging in and out. */
export const authenticationRoutes: readonly Route[] = [
  {
    ...about,
    method: 'POST',
    path: logInPath,
    id: 'createToken',
    summary: 'Logs in: answers a token for the header Fogbow-User-Token',
    status: 201,
    request: tokenRequest,
    response: object('Token', { token: { type: 'string' } }),
    run: (operations, { context, body }) => {
      const ticket = ticketIn(body)
      return ticket === undefined
        ? operations.createToken(context, body)
        : operations.fetchToken(context, ticket)
    },
  },
  {
    ...about,
    method: 'DELETE',
    path: logInPath,
    id: 'revokeToken',
    summary: 'Logs out: the token presented is not accepted any more',
    needsToken: true,
    status: 200,
    run: (operations, { context }) => operations.revokeToken(context),
  },
  {
    ...about,
    method: 'GET',
    path: '/as/user',
    id: 'whoAmI',
    summary: 'Shows who the token belongs to',
    needsToken: true,
    status: 200,
    response: caller,
    run: (operations, { context }) => operations.whoAmI(context),
  },
]

/** A page that a browser was sent back to hands on what it got as credentials; the token is there already. */
function ticketIn(body: unknown): string | undefined {
  const { credentials } = body as { credentials?: { loginTicket?: unknown } | null }
  const ticket = credentials?.loginTicket
  return typeof ticket === 'string' ? ticket : undefined
}

/**
 * What each of the four services tells anybody. Numbers are those of the original services' interfaces, to which a
 * client may compare; the build is this site's version.
 */
export function serviceRoutes(base: string, apiVersion: string): Route[] {
  const service = base.slice(1)
  const tag = `${base} service`
  return [
    {
      method: 'GET',
      path: `${base}/publicKey`,
      id: `${service}PublicKey`,
      summary: 'The key for which tokens are encrypted',
      tag,
      needsToken: false,
      status: 200,
      response: publicKey,
      run: (operations) => ({ publicKey: operations.publicKey() }),
    },
    {
      method: 'GET',
      path: `${base}/version`,
      id: `${service}Version`,
      summary: 'Version of the interface and build of the site',
      tag,
      needsToken: false,
      status: 200,
      response: version,
      run: (operations) => ({ version: `${apiVersion}-${operations.site().version}` }),
    },
  ]
}
