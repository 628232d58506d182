import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { allocationMethods } from '../../core/federation/allocation/index.ts'
import {
  createFederation,
  defaultFederationSettings,
  openSiteKeys,
} from '../../core/federation/index.ts'
import {
  childNamed,
  createXmppComponent,
  element,
  systemClock,
  textOf,
  type XmppComponent,
} from '../../core/federation/xmpp/index.ts'
import { openSqliteStore } from '../../core/store/index.ts'
import { type Handlers, obey } from './child.ts'
import type { Link, Party } from './federation-parties.ts'
import { median, percentile } from './result.ts'

/** Who asks over the link, and what: a site its provider for an instance, or a component another for an echo. */
export type AskerOptions =
  | {
      readonly way: 'site'
      readonly reads: 'signed' | 'shared'
      readonly party: Party
      readonly provider: Party
    }
  | { readonly way: 'echo'; readonly link: Link; readonly to: string; readonly lengths: Lengths }
  | { readonly way: 'answer'; readonly link: Link; readonly lengths: Lengths }

/** Characters in a request and in its answer. */
export interface Lengths {
  readonly request: number
  readonly answer: number
}

export interface Latency {
  readonly p50: number
  readonly p90: number
}

const NAMESPACE = 'urn:bench:echo'
const log = { info() {}, warn() {}, error() {} }
const TIMEOUT_MS = 30_000
const ready = (component: XmppComponent) =>
  new Promise<void>((resolve) => {
    component.onLink(({ state }) => state === 'online' && resolve())
    component.start()
  })

if (import.meta.main)
  await obey(async (options: AskerOptions): Promise<Handlers> => {
    const component = createXmppComponent('link' in options ? options.link : options.party.link, {
      log,
    })
    if (options.way === 'site') return asSite(component, options)
    const { request, answer } = options.lengths
    const question = element('request', { xmlns: NAMESPACE }, ['x'.repeat(request)])
    const reply = element('answer', { xmlns: NAMESPACE }, ['x'.repeat(answer)])
    component.serve('get', NAMESPACE, async () => [reply])
    await ready(component)
    if (options.way === 'answer') return {}
    const { to } = options
    return measures(() => component.request(to, 'get', [question], { timeoutMs: TIMEOUT_MS }))
  })

/** The federation of a site as it is, without what a site has beside it. */
async function asSite(
  component: XmppComponent,
  { reads, party, provider }: AskerOptions & { way: 'site' },
): Promise<Handlers> {
  const { siteId, dataDir } = party
  const lengths = { request: 0, answer: 0 }
  const federation = createFederation({
    component: { ...component, request: measured },
    store: await openSqliteStore(join(dataDir, 'site.db')),
    siteId,
    methods: allocationMethods,
    config: () => settings,
    keys: await openSiteKeys(dataDir),
    clock: systemClock,
    log,
  })
  const settings = {
    ...defaultFederationSettings,
    reads,
    members: [provider.siteId],
    peers: { [provider.siteId]: { keys: provider.keys } },
  }
  const user = { id: 'u-1', identityProviderId: siteId, name: 'ada', roles: ['user'] }
  let kept = false

  async function measured(...asked: Parameters<XmppComponent['request']>) {
    const answer = await component.request(...asked)
    if (!kept) {
      const [, , [question]] = asked
      lengths.request = question ? textOf(question).length : 0
      const reply = childNamed(answer, 'answer')
      lengths.answer = reply ? textOf(reply).length : 0
    }
    return answer
  }

  await federation.start()
  await ready(component)
  const ask = (method: string, more: object = {}, settings: object = {}) =>
    federation.call(
      provider.siteId,
      method,
      { kind: 'compute', orderId: order, ...more },
      {
        user,
        ...settings,
      },
    )
  const order = randomUUID()
  return {
    ...measures(() => ask('getInstance')),
    async order() {
      const request = { vCPU: 1, ram: 512, disk: 1, imageId: 'tiny' }
      await ask('createOrder', { name: 'bench', request }, { key: order })
      let state: unknown
      while (state !== 'FULFILLED') state = ((await ask('getInstance')) as { state: string }).state
      kept = true
      return lengths
    },
  }
}

function measures(ask: () => Promise<unknown>): Handlers {
  return {
    async latency({ calls }: { calls: number }): Promise<Latency> {
      const times: number[] = []
      for (let call = 0; call < calls; call += 1) {
        const startedAt = performance.now()
        await ask()
        times.push(performance.now() - startedAt)
      }
      return { p50: median(times), p90: percentile(times, 0.9) }
    },
    async rate({ calls, inFlight }: { calls: number; inFlight: number }): Promise<number> {
      let left = calls
      const startedAt = performance.now()
      const one = async () => {
        while (left-- > 0) await ask()
      }
      await Promise.all(Array.from({ length: inFlight }, one))
      return calls / ((performance.now() - startedAt) / 1000)
    },
  }
}
