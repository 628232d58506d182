import {
  type Clock,
  createXmppComponent,
  element,
  type LinkState,
  type XmppComponent,
  type XmppComponentOptions,
} from '../../../core/federation/xmpp/index.ts'
import { loopbackAddress } from '../servers/addresses.ts'
import { type Authority, createAuthority } from '../servers/certificates.ts'
import { startEjabberd } from '../servers/ejabberd.ts'
import { type ProsodyOptions, startProsody } from '../servers/prosody.ts'
import type { XmppServer } from '../servers/server-process.ts'

export interface Site {
  readonly server: XmppServer
  readonly jid: string
  readonly secret: string
  readonly component: XmppComponent
  /** A further component under the same name. */
  connect(options?: Partial<XmppComponentOptions>, clock?: Clock): XmppComponent
}

export interface Sites {
  readonly sites: readonly Site[]
  readonly authority: Authority
  /** Addresses that the servers know. */
  readonly names: Readonly<Record<string, string>>
  remove(): Promise<void>
}

export const NAMESPACE = 'urn:test'
const SECRET = 'correct horse'
const log = { info() {}, warn() {}, error() {} }
const PATIENCE_MS = 30_000

/** Sites with a server each that know each other; every component serves an echo. */
export async function startSites(
  kinds: readonly ('prosody' | 'ejabberd')[],
  options: Pick<ProsodyOptions, 'onConflict' | 'names'> = {},
): Promise<Sites> {
  const authority = createAuthority()
  const addresses = await Promise.all(kinds.map(loopbackAddress))
  const domainOf = (n: number) => `site-${n}.test`
  const jidOf = (n: number) => `ras-${n}.site-${n}.test`
  const names = {
    ...options.names,
    ...Object.fromEntries(
      addresses.flatMap((address, n) => [
        [domainOf(n), address],
        [jidOf(n), address],
      ]),
    ),
  }
  const sites = await Promise.all(
    kinds.map(async (kind, n): Promise<Site> => {
      const jid = jidOf(n)
      const shared = {
        domain: domainOf(n),
        address: addresses[n] ?? '',
        components: { [jid]: SECRET },
        authority,
        names,
      }
      const server =
        kind === 'prosody'
          ? await startProsody({ ...options, ...shared })
          : await startEjabberd(shared)
      const connect = (own: Partial<XmppComponentOptions> = {}, clock?: Clock) =>
        createXmppComponent(
          { jid, host: server.address, port: server.portOf(jid), secret: SECRET, ...own },
          { log, ...(clock && { clock }) },
        )
      return { server, jid, secret: SECRET, component: connect(), connect }
    }),
  )
  for (const { component } of sites) {
    component.serve('get', NAMESPACE, async ({ payload }) => [payload])
    component.start()
    await linkIs(component, 'online')
  }
  return {
    sites,
    authority,
    names,
    async remove() {
      await Promise.all(
        sites.map(async ({ component, server }) => {
          await component.stop()
          await server.remove()
        }),
      )
      authority.remove()
    },
  }
}

/** Resolves once the link is in a state, which it may be already. */
export function linkIs(component: XmppComponent, state: LinkState['state']): Promise<LinkState> {
  if (component.link.state === state) return Promise.resolve(component.link)
  return new Promise((resolve, reject) => {
    const end = component.onLink((link) => {
      if (link.state !== state) return
      end()
      clearTimeout(patience)
      resolve(link)
    })
    const patience = setTimeout(() => {
      end()
      reject(new Error(`${component.jid} is ${JSON.stringify(component.link)}, not ${state}`))
    }, PATIENCE_MS)
  })
}

export const query = (text: string) => element('query', { xmlns: NAMESPACE }, [text])

export const echo = (from: XmppComponent, to: Site, text: string, timeoutMs = 10_000) =>
  from.request(to.jid, 'get', [query(text)], { timeoutMs })

/** Asks until there is an answer: servers need a moment to find each other again. */
export async function untilAnswered(ask: () => Promise<unknown>): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  for (;;)
    try {
      await ask()
      return
    } catch (error) {
      if (performance.now() > giveUpAt) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
}
