import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { createHome, type Home } from '../../../core/cli/fixtures/run-cli.ts'
import type { Client } from '../../system/support/client.ts'
import { type SiteOptions, SiteProcess, siteConfig } from '../../system/support/site-process.ts'
import type { PackageFiles } from './package-files.ts'
import { vendorCloud } from './vendor-cloud.ts'
import { startVerdaccio, type Verdaccio } from './verdaccio.ts'

/** What a test wants otherwise of a site that has a vendor's cloud beside its own. */
export interface MarketSettings {
  /** URL of the registry that it installs from. */
  registry: string
  policy?: object
  /** Further keys of the section `marketplace`. */
  marketplace?: object
  /** Further plugin instances. */
  plugins?: object
  /** Of the vendor's plugin: `config`, `secrets`, … */
  vendor?: object
  /** Plugin instance that maps users to accounts of the vendor's cloud. */
  mapper?: string
  /** Settings of `role-authorization`. */
  roles?: object
  /** Further sections. */
  site?: object
}

/** Folder of a plugin that comes with the site. */
export const official = (name: string) =>
  join(import.meta.dirname, '../../../plugins-official', name)

/** A site whose cloud `vendor` is to be served by a package that is not installed yet. */
export function marketConfig(settings: MarketSettings): string {
  const plugin = (folder: string, more: object) => ({ package: official(folder), ...more })
  return siteConfig({
    site: {
      plugins: {
        identity: plugin('local-identity', {
          config: { issuer: 'site-a.test' },
          secrets: { users: 'file:{dataDir}/users.json' },
        }),
        roles: plugin('role-authorization', { config: { site: 'site-a.test', ...settings.roles } }),
        account: plugin('single-account', { config: { withoutCredentials: true } }),
        emulated: plugin('emulated-cloud', {}),
        vendor: { package: vendorCloud, ...settings.vendor },
        ...settings.plugins,
      },
      clouds: {
        emulated: { plugin: 'emulated', mapper: 'account' },
        vendor: { plugin: 'vendor', mapper: settings.mapper ?? 'account' },
      },
      marketplace: {
        registries: { npm: { url: settings.registry } },
        policy: { minimumAgeHours: 0, ...settings.policy },
        ...settings.marketplace,
      },
      ...settings.site,
    },
  })
}

export interface PlanView {
  id: string
  base: number
  needsAcceptance: string[]
  refusals: string[]
  notes: string[]
  changes: {
    package: string
    from?: { version: string }
    to?: { version: string; hash: string }
    verdict?: { level: string; checks: { rule: string; outcome: string; message: string }[] }
    settings: { instance: string; missing: string[] }[]
  }[]
}

export interface GenerationView {
  number: number
  change: string
  by: { id: string; reason?: string }
  plugins: { name: string; version: string; level: string; hash: string }[]
}

export interface PluginView {
  state: string
  version: string
  bundleHash: string | null
  reason: string | null
}

export interface Refusal {
  status: number
  message: string
}

/** The marketplace of a site over REST, as an administrator who is logged in. */
export class Market {
  readonly client: Client

  constructor(client: Client) {
    this.client = client
  }

  get = <Body>(path: string) => this.#ok<Body>(this.client.get(`/ras/admin/marketplace/${path}`))
  post = <Body>(path: string, body: object = {}) =>
    this.#ok<Body>(this.client.post(`/ras/admin/marketplace/${path}`, body))

  plan(request: object): Promise<PlanView> {
    return this.post('plans', request)
  }

  /** Plans and applies, accepting all that the plan needs. @throws what refuses it */
  async change(request: object, more: object = {}): Promise<GenerationView> {
    const plan = await this.plan(request)
    if (plan.refusals.length > 0) throw new Error(plan.refusals.join('\n'))
    return this.apply(plan, more)
  }

  async apply(plan: PlanView, more: object = {}): Promise<GenerationView> {
    const answer = await this.post<{ generation: GenerationView }>(`plans/${plan.id}/apply`, {
      accept: plan.needsAcceptance,
      ...more,
    })
    return answer.generation
  }

  install(version: string, more: object = {}): Promise<GenerationView> {
    return this.change({ action: 'install', source: `${vendorCloud}@${version}`, ...more })
  }

  generations = () => this.get<GenerationView[]>('generations')
  drift = () => this.get<{ kind: string; subject: string; message: string }[]>('drift')

  /** What of the site answers for a plugin instance. */
  async plugin(name: string): Promise<PluginView> {
    const { body } = await this.client.get(`/ras/admin/plugins/${name}`)
    return body as PluginView
  }

  /** Version that answers a call about an image. */
  async answeredBy(image = 'well'): Promise<string> {
    const path = `/ras/images/site-a.test/vendor/${image}`
    const { status, body } = await this.client.get(path)
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`)
    return (body as { name: string }).name
  }

  /** Orders a network of the vendor's cloud. @returns its id */
  order(client = this.client): Promise<string> {
    const body = { cloudName: 'vendor', cidr: '10.9.0.0/24', gateway: '10.9.0.1' }
    return client.create('/ras/networks', body)
  }

  /** Orders one more. @returns the version that made it */
  async orderedFrom(client = this.client): Promise<string> {
    const id = await this.order(client)
    const { cloudState } = await client.until(`/ras/networks/${id}`, 'READY')
    return String(cloudState).replace('made by ', '')
  }

  ready = (id: string) => this.client.until(`/ras/networks/${id}`, 'READY')

  async #ok<Body>(asked: ReturnType<Client['get']>): Promise<Body> {
    const { status, body } = await asked
    if (status < 300) return body as Body
    const { message } = (body ?? {}) as { message?: string }
    throw Object.assign(new Error(`${status}: ${message ?? JSON.stringify(body)}`), {
      status,
      body,
    })
  }
}

/** A site with its administrator, at a browser and at a shell. */
export interface MarketSite {
  process: SiteProcess
  market: Market
  /** `fogbow …` as an administrator who is logged in. */
  cli: Home['run']
  stop(): Promise<void>
}

export async function startMarketSite(options: SiteOptions): Promise<MarketSite> {
  const site = await SiteProcess.start(options)
  const market = new Market(await site.admin())
  const home = await createHome({ FOGBOW_URL: site.url, FOGBOW_TOKEN: market.client.token ?? '' })
  return {
    process: site,
    market,
    cli: home.run,
    async stop() {
      await home.remove()
      await site.stop()
    },
  }
}

/** A site and the registry that it installs from. */
export interface RunningMarket extends MarketSite {
  registry: Verdaccio
  /** Text of its configuration. */
  config: string
  /** Ends the process between two instructions and starts another one on the same data. */
  killAndRestart(): Promise<void>
}

export interface MarketOptions {
  publish: readonly PackageFiles[]
  settings?: Omit<MarketSettings, 'registry'>
  env?: Record<string, string>
}

/** Runs both for the tests of one file; filled in when tests run. */
export function runMarket({ publish, settings, env }: MarketOptions): RunningMarket {
  const running = { killAndRestart } as RunningMarket
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-market-'))
  const start = async () => {
    const options = { folder, config: running.config, ...(env && { env }) }
    Object.assign(running, await startMarketSite(options))
  }
  before(async () => {
    running.registry = await startVerdaccio()
    for (const files of publish) await running.registry.publish(files)
    running.config = marketConfig({ ...settings, registry: running.registry.url })
    await start()
  })
  after(async () => {
    await running.stop?.()
    await running.registry?.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  return running

  async function killAndRestart(): Promise<void> {
    await running.process.kill()
    await running.stop()
    await start()
  }
}

/** Waits until something holds. @throws with the last answer when it never does */
export async function until<Answer>(
  ask: () => Promise<Answer>,
  holds: (answer: Answer) => boolean,
): Promise<Answer> {
  const giveUpAt = performance.now() + 60_000
  for (;;) {
    const answer = await ask()
    if (holds(answer)) return answer
    if (performance.now() > giveUpAt)
      throw new Error(`In vain waited for ${holds}: ${JSON.stringify(answer)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
