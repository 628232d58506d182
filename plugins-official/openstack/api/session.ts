import { type CallContext, FogbowError } from '@fogbow/plugin-sdk'
import { defaults, type Settings } from '../config.ts'
import { type Catalogue, createCatalogue } from './catalogue.ts'
import { type Credential, toAuthRequest } from './credential.ts'
import { type Fields, fieldsOf } from './fields.ts'
import type { Http } from './http.ts'

/** A token of Keystone with what belongs to it. */
export interface Login {
  token: string
  /** ms since the epoch */
  expiresAt: number
  /** Absent when the token is for no project. */
  projectId?: string
  catalogue: Catalogue
  /** `token` of Keystone's answer. */
  details: Fields
}

/** One account: logged in once, and anew before its token expires, or when the cloud does not take it any more. */
export interface Session {
  login(call: CallContext): Promise<Login>
  /** The cloud refused this token: the next `login` gets another one. */
  forget(login: Login): void
}

const MARGIN_MS = 120_000
const LARGEST_MARGIN = 0.2

export function createSession(
  http: Http,
  settings: Settings,
  credential: Credential,
  now: () => number,
): Session {
  let current: { login: Login; renewAt: number } | undefined
  let underWay: Promise<Login> | undefined

  async function renew(call: CallContext): Promise<Login> {
    const login = await logIn(http, settings, credential, call)
    const lifetimeMs = login.expiresAt - now()
    const marginMs = Math.min(MARGIN_MS, lifetimeMs * LARGEST_MARGIN)
    current = { login, renewAt: login.expiresAt - marginMs }
    return login
  }

  return {
    async login(call) {
      if (current && now() < current.renewAt) return current.login
      // One log-in serves all that wait for it.
      underWay ??= renew(call).finally(() => {
        underWay = undefined
      })
      return underWay
    },
    forget(login) {
      if (current?.login === login) current = undefined
    },
  }
}

/** @throws unauthenticated when Keystone does not know the account, or the project is not his */
export async function logIn(
  http: Http,
  settings: Settings,
  credential: Credential,
  call: CallContext,
): Promise<Login> {
  const answer = await http.send(
    {
      service: 'identity',
      method: 'POST',
      url: `${identityUrl(settings)}/auth/tokens`,
      body: toAuthRequest(credential, settings.login?.domain ?? defaults.domain),
    },
    call,
  )
  return readLogin(answer.headers.get('x-subject-token') ?? '', answer.body, settings)
}

export function readLogin(token: string, body: unknown, settings: Settings): Login {
  const details = fieldsOf(body, 'token answer').object('token')
  const expiresAt = Date.parse(details.text('expires_at'))
  if (token === '' || Number.isNaN(expiresAt))
    throw new FogbowError('unavailable_provider', 'identity answered without a token')
  const projectId = details.maybeObject('project')?.text('id')
  return {
    token,
    expiresAt,
    ...(projectId !== undefined && { projectId }),
    catalogue: createCatalogue(details.objects('catalog'), settings),
    details,
  }
}

/** With its version, and without a slash at its end. */
export function identityUrl({ authUrl }: Settings): string {
  const url = authUrl.replace(/\/+$/, '')
  return /\/v3$/.test(url) ? url : `${url}/v3`
}
