import {
  asFogbowError,
  type CallContext,
  FogbowError,
  type LocalToken,
  type PluginHost,
} from '@fogbow/plugin-sdk'
import { readAccounts } from '../accounts.ts'
import type { Settings } from '../config.ts'
import type { Service } from './catalogue.ts'
import { type Credential, readCredential } from './credential.ts'
import { type Fields, fieldsOf } from './fields.ts'
import { createHttp, type Http, type HttpAnswer } from './http.ts'
import { createMicroversions, type Microversions } from './microversion.ts'
import { createSession, type Login, type Session } from './session.ts'

/** The cloud as one account sees it, for the time of one call. */
export interface Cloud {
  /** Tells accounts apart, without saying anything of them. */
  readonly session: Session
  get(service: Service, path: string): Promise<Fields>
  /** Undefined when it is not there. */
  find(service: Service, path: string): Promise<Fields | undefined>
  /** All pages of a list. @param key - under which the entries stand, such as `servers` */
  list(service: Service, path: string, key: string): Promise<Fields[]>
  post(service: Service, path: string, body: unknown): Promise<Fields>
  put(
    service: Service,
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Fields>
  /** What is gone already needs no deletion. */
  delete(service: Service, path: string): Promise<void>
  has(service: Service): Promise<boolean>
  projectId(): Promise<string>
}

export interface Clouds {
  open(token: LocalToken, call: CallContext): Promise<Cloud>
  readonly http: Http
}

const MOST_SESSIONS = 1000
const MOST_PAGES = 1000

export function createClouds(host: PluginHost<Settings>): Clouds {
  const http = createHttp(host)
  const microversions = createMicroversions(http)
  const sessions = new Map<string, Session>()

  function sessionOf(credential: Credential): Session {
    const key = JSON.stringify(credential)
    const known = sessions.get(key)
    if (known) return known
    const made = createSession(http, host.config, credential, () => host.clock.now())
    const [oldest] = sessions.keys()
    if (sessions.size >= MOST_SESSIONS && oldest !== undefined) sessions.delete(oldest)
    sessions.set(key, made)
    return made
  }

  return {
    http,
    async open(token, call) {
      const session = sessionOf(await credentialOf(token, host))
      return createCloud(http, microversions, session, call)
    },
  }
}

/** The mapper of this package names an account; those of others hand over the credential itself. */
async function credentialOf(
  token: LocalToken,
  { secrets }: PluginHost<Settings>,
): Promise<Credential> {
  if (typeof token.account !== 'string')
    return readCredential(token, 'the credential of the mapper')
  return readAccounts(await secrets.get('accounts')).credential(token.account)
}

function createCloud(
  http: Http,
  microversions: Microversions,
  session: Session,
  call: CallContext,
): Cloud {
  async function sendWith(
    login: Login,
    service: Service,
    method: string,
    path: string,
    body?: unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<HttpAnswer> {
    const base = login.catalogue.urlOf(service)
    const headers = {
      'x-auth-token': login.token,
      ...(await microversions.headersFor(service, base, login.token, call)),
      ...more,
    }
    const url = path.startsWith('/') ? `${base}${path}` : path
    return http.send({ service, method, url, headers, ...(body !== undefined && { body }) }, call)
  }

  /** A token may have been revoked, or Keystone restarted with other keys: it is had anew, once. */
  async function send(...request: [Service, string, string, unknown?, Record<string, string>?]) {
    const login = await session.login(call)
    try {
      return await sendWith(login, ...request)
    } catch (error) {
      if (!isCode(error, 'unauthenticated')) throw error
      session.forget(login)
      return sendWith(await session.login(call), ...request)
    }
  }

  const read = async (
    service: Service,
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => {
    const answer = await send(service, method, path, body, headers)
    return fieldsOf(answer.body ?? {}, `${service} ${path.split('?')[0]}`)
  }

  const find = async (service: Service, path: string) => {
    try {
      return await read(service, 'GET', path)
    } catch (error) {
      if (isCode(error, 'instance_not_found')) return undefined
      throw error
    }
  }

  return {
    session,
    get: (service, path) => read(service, 'GET', path),
    find,
    async list(service, path, key) {
      const found: Fields[] = []
      let next: string | undefined = path
      for (let pages = 0; next !== undefined && pages < MOST_PAGES; pages += 1) {
        const page: Fields = await read(service, 'GET', next)
        found.push(...page.objects(key))
        const base: string = (await session.login(call)).catalogue.urlOf(service)
        next = nextPage(page, key, base)
      }
      return found
    },
    post: (service, path, body) => read(service, 'POST', path, body),
    put: (service, path, body, headers) => read(service, 'PUT', path, body, headers),
    async delete(service, path) {
      try {
        await send(service, 'DELETE', path)
      } catch (error) {
        if (!isCode(error, 'instance_not_found')) throw error
      }
    },
    has: async (service) => (await session.login(call)).catalogue.has(service),
    async projectId() {
      const { projectId } = await session.login(call)
      if (projectId !== undefined) return projectId
      throw new FogbowError('configuration_error', 'the account of this cloud names no project')
    },
  }
}

/**
 * Glance has it in `next`, the others in `<key>_links`. Its host is not believed: behind proxies services often name one
 * that nobody else can reach.
 */
function nextPage(page: Fields, key: string, base: string): string | undefined {
  const link =
    page.maybeText('next') ??
    page
      .objects(`${key}_links`)
      .find((each) => each.maybeText('rel') === 'next')
      ?.maybeText('href')
  if (link === undefined) return undefined
  const { pathname, search } = new URL(link, base)
  const name = pathname.slice(pathname.lastIndexOf('/') + 1)
  const isDetail = name === 'detail'
  return isDetail ? `/${key}/detail${search}` : `/${name}${search}`
}

export function isCode(error: unknown, code: FogbowError['code']): boolean {
  return asFogbowError(error).code === code
}
