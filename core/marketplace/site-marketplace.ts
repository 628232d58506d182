import { asFogbowError, FogbowError } from '@fogbow/plugin-sdk'
import type { Actor, Drift, Generation, Marketplace, Plan } from '@fogbow/registry'
import type { MemberVetting, Revocations } from '@fogbow/registry/trust'
import type { PluginHealth } from '@fogbow/sandbox'
import type { Logger } from 'pino'
import type { LoadedConfig } from '../config/index.ts'
import type { PluginHost, TrialShare } from '../plugins/index.ts'
import type { Store } from '../store/index.ts'
import {
  type ChangeParts,
  discard,
  type PreparedChange,
  prepareChange,
  refuseRemovalInUse,
} from './change-plugins.ts'
import type { OpenMarketplace } from './open-marketplace.ts'
import { instancesOf } from './plugin-users.ts'
import { rollBackIfNew } from './probation.ts'
import { createRevocationWatch, type Revoked } from './revocation-watch.ts'
import { createTrials, type Trials, type TrialView } from './trials.ts'

/** The marketplace of a site that runs: what is decided there takes effect here, without a restart. */
export interface SiteMarketplace
  extends Pick<
    Marketplace,
    | 'search'
    | 'about'
    | 'plan'
    | 'plans'
    | 'findPlan'
    | 'discardPlan'
    | 'checkSettings'
    | 'current'
    | 'generations'
  > {
  /** @param trial - sends only some of the new orders to the new version, until it is judged */
  apply(
    id: string,
    accepted: readonly string[],
    by: Actor,
    trial?: TrialShare,
  ): Promise<{ generation: Generation } | { trial: TrialView }>
  drift: Marketplace['drift']
  readonly trials: Pick<Trials, 'list' | 'decide'>
  readonly revocations: Revocations
  revoked(): readonly Revoked[]
  /** What this site says to members: what it revoked, and what of others it runs. */
  tell(): Promise<ToldOfPlugins>
  /** Reads lists and catalogues again, and does what they ask for. */
  refresh(): Promise<{ source: string; problem: string }[]>
  enforce(): Promise<void>
  /** @returns makes the registries of that configuration the ones that are asked */
  prepareRegistries: OpenMarketplace['prepareRegistries']
  /** For the plugin host: a plugin changed its state. */
  onHealth(instance: string, bundleHash: string, health: PluginHealth): void
  start(): Promise<void>
  stop(): Promise<void>
}

export interface SiteMarketplaceParts {
  marketplace: Marketplace
  revocations: Revocations
  vetting: MemberVetting
  prepareRegistries: OpenMarketplace['prepareRegistries']
  plugins: PluginHost
  store: Store
  loaded(): LoadedConfig
  /** As the configuration would be with other settings of the marketplace. */
  loadedWith(settings: Generation['settings']): Promise<LoadedConfig>
  /** Asks a member what it says of plugins. Absent when the site is in no federation. */
  askMember?: ((member: string) => Promise<ToldOfPlugins>) | undefined
  /** Makes a configuration the one in force. */
  adopt(loaded: LoadedConfig): void
  clock: { now(): number; every(ms: number, run: () => void): () => void }
  log: Logger
}

/** Revocations, and packages of registries with the level that this site trusts them at. */
export interface ToldOfPlugins {
  revocations: readonly object[]
  vetted: readonly object[]
}

const JUDGE_EVERY_MS = 5000
const MINUTE_MS = 60_000

export function createSiteMarketplace(parts: SiteMarketplaceParts): SiteMarketplace {
  const { marketplace, revocations, plugins, loaded, clock, log } = parts
  const settings = () => loaded().config.marketplace
  const changeParts: ChangeParts = {
    plugins,
    store: parts.store,
    loaded,
    bundleOf: marketplace.bundleOf,
    installed: async (name) =>
      (await marketplace.current()).plugins.find((one) => one.name === name),
    loadedWith: async (plan) => parts.loadedWith(settingsAfter(await marketplace.current(), plan)),
  }
  const trials = createTrials({
    ...changeParts,
    rules: () => settings().trial,
    drainMs: () => settings().drainMs,
    findPlan: marketplace.findPlan,
    discardPlan: marketplace.discardPlan,
    promote,
    now: clock.now,
    log,
  })
  const watch = createRevocationWatch({
    plugins,
    heeded: async () => (await revocations.heeded()).heeded,
    installed: async () => (await marketplace.current()).plugins,
    log,
  })
  const timers: (() => void)[] = []

  async function apply(plan: Plan, accepted: readonly string[], by: Actor): Promise<Generation> {
    let prepared: PreparedChange | undefined
    try {
      const generation = await marketplace.apply(plan.id, accepted, by, async () => {
        prepared = await prepareChange(plan, changeParts)
      })
      if (prepared) takeOver(prepared)
      await watch.enforce()
      return generation
    } catch (error) {
      if (prepared) await discard(prepared)
      throw error
    }
  }

  /** From here on nothing can fail: the generation is made. Old versions end in their own time. */
  function takeOver({ loaded: next, plugins: changed }: PreparedChange): void {
    parts.adopt(next)
    for (const { name, next: plugin } of changed) {
      log.info({ plugin: name, version: plugin.version }, 'plugin was handed over')
      plugins
        .handOver(name, plugin, next)
        .catch((err) => log.error({ err, plugin: name }, 'plugin could not be handed over'))
    }
  }

  /** The version that was tried has been running all along. */
  async function promote(plan: Plan, accepted: readonly string[], by: Actor): Promise<void> {
    const tried = plugins
      .list()
      .flatMap(({ name, trial }) =>
        trial && plan.changes.some(({ to }) => to?.hash === trial.plugin.bundleHash)
          ? [{ name, next: trial.plugin }]
          : [],
      )
    const next = await changeParts.loadedWith(plan)
    await marketplace.apply(plan.id, accepted, by)
    takeOver({ loaded: next, plugins: tried })
  }

  function onHealth(instance: string, bundleHash: string, { state, reason }: PluginHealth): void {
    if (state !== 'quarantined') return
    const lastsMs = () => settings().probationMinutes * MINUTE_MS
    const why = reason?.message ?? state
    rollBackIfNew(instance, bundleHash, why, {
      marketplace,
      lastsMs,
      now: clock.now,
      apply: (plan, by) => apply(plan, plan.needsAcceptance, by),
      packageOf: (name) => plugins.list().find((slot) => slot.name === name)?.packageName,
      log,
    }).catch((err) => log.error({ err, plugin: instance }, 'a change could not be taken back'))
  }

  /** A member that does not answer is believed as before: nothing is withdrawn because somebody was silent. */
  async function askMembers(): Promise<{ source: string; problem: string }[]> {
    const { askMember } = parts
    if (!askMember) return []
    const asked = settings().revocations.members.map(async (member) => {
      try {
        const told = await askMember(member)
        await revocations.receive(member, told.revocations)
        await parts.vetting.receive(member, told.vetted)
        return []
      } catch (error) {
        return [{ source: `member:${member}`, problem: asFogbowError(error).message }]
      }
    })
    return (await Promise.all(asked)).flat()
  }

  async function tell(): Promise<ToldOfPlugins> {
    const { plugins: installed } = await marketplace.current()
    const ofRegistries = installed.filter(({ sourceKind }) => sourceKind === 'npm')
    return {
      revocations: await revocations.own(),
      vetted: ofRegistries.map(({ name, version, integrity, trust }) => ({
        package: name,
        version,
        ...(integrity && { integrity }),
        level: trust.level,
      })),
    }
  }

  async function refresh(): Promise<{ source: string; problem: string }[]> {
    const problems = [...(await marketplace.refresh()), ...(await askMembers())]
    for (const { source, problem } of problems)
      log.warn({ source, problem }, 'a list or catalogue could not be read')
    await watch.enforce()
    return problems
  }

  async function drift(asked?: { refresh?: boolean }): Promise<Drift[]> {
    const { plugins: installed } = await marketplace.current()
    const running = installed.flatMap((plugin) =>
      instancesOf(plugins, plugin.name).flatMap((name) => {
        const { bundleHash, version } = plugins.get(name)
        return bundleHash && bundleHash !== plugin.hash
          ? [otherRuns(name, version, plugin.version)]
          : []
      }),
    )
    return [...(await marketplace.drift(asked)), ...running]
  }

  const inBackground = (work: () => Promise<unknown>) => () => {
    work().catch((err) => log.warn({ err: asFogbowError(err) }, 'marketplace could not be updated'))
  }

  return {
    search: marketplace.search,
    about: marketplace.about,
    async plan(request, by) {
      if (request.action === 'remove') await refuseRemovalInUse(request.package, changeParts)
      return marketplace.plan(request, by)
    },
    plans: marketplace.plans,
    findPlan: marketplace.findPlan,
    discardPlan: marketplace.discardPlan,
    checkSettings: marketplace.checkSettings,
    current: marketplace.current,
    generations: marketplace.generations,
    async apply(id, accepted, by, trial) {
      const present = await marketplace.current()
      // Whoever did not hear the answer asks again.
      if (present.plan === id) return { generation: present }
      const plan = await marketplace.findPlan(id)
      if (plan.base !== present.number) throw stale(plan, present)
      if (trial) return { trial: await trials.start(plan, trial, accepted, by) }
      return { generation: await apply(plan, accepted, by) }
    },
    drift,
    trials,
    revocations,
    revoked: watch.revoked,
    tell,
    refresh,
    enforce: watch.enforce,
    prepareRegistries: parts.prepareRegistries,
    onHealth,
    async start() {
      await trials.resume()
      await watch.enforce()
      timers.push(
        clock.every(JUDGE_EVERY_MS, inBackground(trials.judge)),
        clock.every(settings().revocations.refreshMinutes * MINUTE_MS, inBackground(refresh)),
      )
      inBackground(refresh)()
    },
    async stop() {
      for (const end of timers.splice(0)) end()
    },
  }
}

function settingsAfter({ settings }: Generation, plan: Plan): Generation['settings'] {
  const after = { ...settings, ...plan.settings }
  return Object.fromEntries(
    Object.entries(after).flatMap(([name, own]) => (own ? [[name, own]] : [])),
  )
}

function stale(plan: Plan, present: Generation): FogbowError {
  const message = `Plan ${plan.id.slice(0, 12)} was made for generation ${plan.base}, and ${present.number} is the present one; plan again`
  return new FogbowError('unacceptable_operation', message)
}

function otherRuns(instance: string, running: string, installed: string): Drift {
  return {
    kind: 'other version runs',
    subject: instance,
    message: `Plugin '${instance}' runs ${running}, and ${installed} is installed (or its code differs)`,
    remedy: `run: fogbow reload, or: fogbow plugin restart ${instance}`,
  }
}
