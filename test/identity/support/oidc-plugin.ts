import type { FederationUserToken } from '@fogbow/plugin-sdk'
import { createFakeHost, type FakeHost, startInProcess } from '@fogbow/plugin-sdk/testing'
import type { Settings } from '../../../plugins-official/oidc/config.ts'
import plugin from '../../../plugins-official/oidc/index.ts'
import { AUDIENCE, type RunningProvider, SITE_CLIENT } from './oidc-provider.ts'
import { Visitor } from './visitor.ts'

export const REDIRECT_URI = 'http://127.0.0.1:1/as/login/science/callback'

/** Settings for the provider of the tests; its roles are nested, as at Keycloak. */
export function oidcSettings(issuer: string, changes: Partial<Settings> = {}): Settings {
  return {
    issuer,
    clientId: SITE_CLIENT.id,
    claims: {
      roles: {
        from: ['realm_access.roles'],
        map: { 'cloud-users': ['user'], 'cloud-admins': ['admin'] },
      },
      attributes: { email: 'email', department: 'department' },
    },
    accessTokens: { audience: AUDIENCE, recheckSeconds: 0 },
    machineLogin: { scope: 'compute', resource: AUDIENCE },
    ...changes,
  }
}

/** The plugin in this process, with a clock that the test moves. */
export interface PluginUnderTest {
  host: FakeHost<Settings>
  call<Answer = string>(method: string, ...args: unknown[]): Promise<Answer>
  /** Who a token is about, when it is good. */
  accept(tokenValue: string): Promise<FederationUserToken>
  /** Begins a login, visits the provider as somebody. @returns what the provider sends back, and what was kept */
  visit(login: string): Promise<Callback>
  logIn(login: string): Promise<string>
}

export interface Callback {
  parameters: Record<string, string>
  kept: Record<string, string>
  url: URL
}

export async function startOidc(
  provider: RunningProvider,
  changes: Partial<Settings> = {},
  without: (keyof Settings)[] = [],
  send: typeof fetch = fetch,
): Promise<PluginUnderTest> {
  const config = oidcSettings(provider.issuer, changes)
  for (const key of without) delete config[key]
  const host = createFakeHost<Settings>({
    config,
    secrets: { clientSecret: SITE_CLIENT.secret },
    fetch: send,
    now: Date.now(),
  })
  const caller = await startInProcess(plugin, host)
  const call = async <Answer>(method: string, ...args: unknown[]) =>
    (await caller.call(method, args)) as Answer

  async function visit(login: string): Promise<Callback> {
    const state = `${crypto.randomUUID()}${crypto.randomUUID()}`
    const begun = await call<{ url: string; kept: Record<string, string> }>(
      'login.beginLogin',
      REDIRECT_URI,
      state,
    )
    const fields = { login, password: 'any' }
    const isBack = (url: string) => url.startsWith(REDIRECT_URI)
    const { url } = await new Visitor().visit(begun.url, fields, isBack)
    const parameters = Object.fromEntries(new URL(url).searchParams)
    return { parameters, kept: begun.kept, url: new URL(begun.url) }
  }

  return {
    host,
    call,
    async accept(tokenValue) {
      const token = await call<FederationUserToken>(
        'federationIdentity.getFederationUserToken',
        tokenValue,
      )
      if (!(await call<boolean>('authentication.isAuthentic', token)))
        throw new Error('the token was read and is not authentic')
      return token
    },
    visit,
    async logIn(login) {
      const { parameters, kept } = await visit(login)
      return call('login.completeLogin', REDIRECT_URI, parameters, kept)
    },
  }
}
