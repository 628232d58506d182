import {
  type BegunDeviceLogin,
  type BegunLogin,
  type EndedSession,
  FogbowError,
  type PolledLogin,
} from '@fogbow/plugin-sdk'
import type { PluginHost, PluginSlot } from '../plugins/index.ts'
import type { PendingLogins } from './pending-logins.ts'

/** A plugin through which people log in at an identity provider. */
export interface LoginSource {
  /** Its name in the configuration. */
  name: string
  /** Whether programs without a browser can use it. */
  devices: boolean
}

export interface Caller {
  address: string
  signal?: AbortSignal | undefined
}

/** What a program shows its user. */
export type DeviceLogin = Omit<BegunDeviceLogin, 'kept'> & { handle: string }

export type DevicePoll =
  | { status: 'done'; tokenValue: string; source: string }
  | { status: 'pending' | 'slow_down'; intervalSeconds: number }

/** LoginsElsewhere that go on elsewhere: plugins know the provider, the site keeps what is pending. */
export interface LoginsElsewhere {
  sources(): LoginSource[]
  /** @returns where the browser goes */
  begin(
    source: string,
    login: { redirectUri: string; browser: string; returnUrl?: string | undefined } & Caller,
  ): Promise<string>
  /** @returns the token, and where it is awaited when that is another page than this site's own */
  complete(
    source: string,
    callback: {
      redirectUri: string
      browser: string | undefined
      parameters: Readonly<Record<string, string>>
      signal?: AbortSignal | undefined
    },
  ): Promise<{ tokenValue: string; returnUrl: string | undefined }>
  /** Leaves a token to be fetched once, soon. @param browser - the only one that may fetch it */
  leave(
    tokenValue: string,
    at: { source: string; address: string; browser: string | undefined },
  ): Promise<string>
  fetch(ticket: string, browser: string | undefined): Promise<string>
  beginDevice(source: string, caller: Caller): Promise<DeviceLogin>
  pollDevice(source: string, handle: string, signal?: AbortSignal): Promise<DevicePoll>
  /** @returns where the browser ends its session at the provider */
  endSession(source: string, returnUri: string, signal?: AbortSignal): Promise<string | undefined>
}

const LOGIN_MS = 10 * 60_000
const DEVICE_MS = 60 * 60_000
const TICKET_MS = 60_000

export function createLoginsElsewhere({
  plugins,
  pending,
}: {
  plugins: Pick<PluginHost, 'list'>
  pending: PendingLogins
}): LoginsElsewhere {
  const offering = () => plugins.list().filter(({ kinds }) => kinds.includes('login'))

  function plugin(source: string): PluginSlot {
    const found = offering().find(({ name }) => name === source)
    if (found) return found
    const names = offering().map(({ name }) => name)
    throw new FogbowError(
      'not_found',
      `Nobody logs in through '${source}' at this site; there is ${names.join(', ') || 'nothing'}`,
    )
  }

  return {
    sources: () =>
      offering().map(({ name, offered }) => ({
        name,
        devices: offered.has('login.beginDeviceLogin') && offered.has('login.pollDeviceLogin'),
      })),

    async begin(source, { redirectUri, browser, returnUrl, address, signal }) {
      const { made } = await pending.add(
        { purpose: 'browser', source, address, browser, returnUrl, lifetimeMs: LOGIN_MS },
        (state) =>
          plugin(source).call('login.beginLogin', [redirectUri, state], {
            signal,
          }) as Promise<BegunLogin>,
      )
      return made.url
    },

    async complete(source, { redirectUri, browser, parameters, signal }) {
      const { kept, returnUrl, ...begun } = await pending.take(
        parameters.state ?? '',
        'browser',
        browser,
      )
      if (begun.source !== source)
        throw new FogbowError('unauthenticated', `This login did not begin at '${source}'`)
      const tokenValue = (await plugin(source).call(
        'login.completeLogin',
        [redirectUri, parameters, kept],
        { signal },
      )) as string
      return { tokenValue, returnUrl }
    },

    async leave(tokenValue, { source, address, browser }) {
      const { id } = await pending.add(
        { purpose: 'ticket', source, address, browser, lifetimeMs: TICKET_MS },
        async () => ({ kept: { tokenValue } }),
      )
      return id
    },

    async fetch(ticket, browser) {
      const { kept } = await pending.take(ticket, 'ticket', browser)
      return (kept as { tokenValue: string }).tokenValue
    },

    async beginDevice(source, { address, signal }) {
      const { id, made } = await pending.add(
        { purpose: 'device', source, address, lifetimeMs: DEVICE_MS },
        async () => {
          const begun = (await plugin(source).call('login.beginDeviceLogin', [], {
            signal,
          })) as BegunDeviceLogin
          return { ...begun, lifetimeMs: begun.expiresInSeconds * 1000 }
        },
      )
      const { kept: _, lifetimeMs: __, ...shown } = made
      return { ...shown, handle: id }
    },

    async pollDevice(source, handle, signal) {
      const { kept, isTooFast, intervalSeconds, ...begun } = await pending.poll(handle)
      if (begun.source !== source)
        throw new FogbowError('unauthenticated', `This login did not begin at '${source}'`)
      if (isTooFast) return { status: 'slow_down', intervalSeconds }
      const polled = await ask(plugin(source), kept, signal).catch(async (error) => {
        if (isFinal(error)) await pending.end(handle)
        throw error
      })
      if (polled.status === 'slow_down')
        return { status: 'slow_down', intervalSeconds: await pending.slowDown(handle) }
      if (polled.status === 'pending' || polled.tokenValue === undefined)
        return { status: 'pending', intervalSeconds }
      await pending.end(handle)
      return { status: 'done', tokenValue: polled.tokenValue, source }
    },

    async endSession(source, returnUri, signal) {
      const slot = plugin(source)
      if (!slot.offered.has('login.endSession')) return undefined
      const { url } = (await slot.call('login.endSession', [returnUri], { signal })) as EndedSession
      return url
    },
  }
}

function ask(
  plugin: PluginSlot,
  kept: unknown,
  signal: AbortSignal | undefined,
): Promise<PolledLogin> {
  return plugin.call('login.pollDeviceLogin', [kept], { signal }) as Promise<PolledLogin>
}

/** The user or the provider said no: asking again brings nothing else. */
function isFinal(error: unknown): boolean {
  return error instanceof FogbowError && ['unauthenticated', 'unauthorized'].includes(error.code)
}
