import { userInfo } from 'node:os'
import type {
  ChangeRequest,
  Drift,
  Plan,
  PluginAbout,
  SearchQuery,
  SearchResult,
  SettingsCheck,
} from '@fogbow/registry'
import type { Command } from 'commander'
import { type CommandLine, connect } from '../command-line.ts'
import { fieldsOf, listOf, type SiteClient } from '../site-client.ts'
import type { Row } from '../table.ts'

/** What a plan was applied as: a generation, or a trial that runs. */
export interface Applied {
  generation?: { number: number; change: string }
  trial?: Row
}

/** Where plugins are asked for and changed: at a site that runs, or in the data directory of one on this machine. */
export interface PluginDesk {
  readonly isLocal: boolean
  search(query: SearchQuery): Promise<SearchResult>
  about(name: string, options: { version?: string; source?: string }): Promise<PluginAbout>
  plan(request: ChangeRequest, reason: string | undefined): Promise<Plan>
  plans(): Promise<Plan[]>
  findPlan(id: string): Promise<Plan>
  discardPlan(id: string): Promise<void>
  apply(plan: Plan, settings: ApplySettings): Promise<Applied>
  checkSettings(instance: string): Promise<SettingsCheck>
  generations(): Promise<Row[]>
  drift(options: { refresh: boolean }): Promise<Drift[]>
  refresh(): Promise<{ source: string; problem: string }[]>
  close(): Promise<void>
}

export interface ApplySettings {
  accept: readonly string[]
  reason?: string | undefined
  trial?: Row | undefined
}

/** The site where somebody is logged in, unless a data directory is named or nobody is logged in. */
export async function openDesk(
  commandLine: CommandLine,
  command: Command,
  { dataDir }: { dataDir?: string },
): Promise<PluginDesk> {
  const site = await connect(commandLine, command)
  return site.loggedIn && dataDir === undefined ? deskOf(site) : openLocalDesk(commandLine, dataDir)
}

const base = '/ras/admin/marketplace'
const planPath = (id: string) => `${base}/plans/${encodeURIComponent(id)}`

function deskOf(site: SiteClient): PluginDesk {
  const get = (path: string, query: Record<string, string | number | undefined> = {}) =>
    site.send({ path, query })
  return {
    isLocal: false,
    search: async (query) => fieldsOf(await get(`${base}/search`, { ...query })),
    about: async (name, options) =>
      fieldsOf(await get(`${base}/packages/${encodeURIComponent(name)}`, { ...options })),
    plan: async (request, reason) =>
      fieldsOf(
        await site.send({ method: 'POST', path: `${base}/plans`, body: { ...request, reason } }),
      ),
    plans: async () => listOf(await get(`${base}/plans`)),
    findPlan: async (id) => fieldsOf(await get(planPath(id))),
    async discardPlan(id) {
      await site.send({ method: 'DELETE', path: planPath(id) })
    },
    apply: async ({ id }, body) =>
      fieldsOf(await site.send({ method: 'POST', path: `${planPath(id)}/apply`, body })),
    checkSettings: async (instance) =>
      fieldsOf(await get(`${base}/settings/${encodeURIComponent(instance)}`)),
    generations: async () => listOf(await get(`${base}/generations`)),
    drift: async ({ refresh }) =>
      listOf(await get(`${base}/drift`, refresh ? { refresh: 'true' } : {})),
    async refresh() {
      const answer = await site.send({ method: 'POST', path: `${base}/refresh` })
      return fieldsOf<{ problems: { source: string; problem: string }[] }>(answer).problems
    },
    close: async () => {},
  }
}

async function openLocalDesk(
  { env, terminal }: CommandLine,
  dataDir: string | undefined,
): Promise<PluginDesk> {
  const { openLocalMarketplace } = await import('../../marketplace/open-local-marketplace.ts')
  const source = { env, cwd: process.cwd(), ...(dataDir !== undefined && { dataDir }) }
  const { marketplace, close } = await openLocalMarketplace(source)
  const me = { id: `${userInfo().username}@localhost` }
  const actor = (reason: string | undefined) => ({ ...me, ...(reason && { reason }) })
  return {
    isLocal: true,
    search: marketplace.search,
    about: marketplace.about,
    plan: (request, reason) => marketplace.plan(request, actor(reason)),
    plans: marketplace.plans,
    findPlan: marketplace.findPlan,
    discardPlan: marketplace.discardPlan,
    async apply(plan, { accept, reason, trial }) {
      if (trial) terminal.notice('Only a site that runs can try a version out; it is applied whole')
      const generation = await marketplace.apply(plan.id, accept, actor(reason))
      terminal.notice('A site that runs takes it up with: fogbow reload')
      return { generation }
    },
    checkSettings: marketplace.checkSettings,
    generations: async () => (await marketplace.generations()) as unknown as Row[],
    drift: marketplace.drift,
    refresh: marketplace.refresh,
    close,
  }
}
