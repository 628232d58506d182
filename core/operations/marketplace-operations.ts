import { type FederationUser, FogbowError, invalid } from '@fogbow/plugin-sdk'
import type {
  Actor,
  ChangeRequest,
  Drift,
  Generation,
  HeededRevocation,
  Plan,
  PluginAbout,
  SearchQuery,
  SearchResult,
  SettingsCheck,
} from '@fogbow/registry'
import {
  referencePage,
  type SiteMarketplace,
  type TrialView,
  toTrialShare,
} from '../marketplace/index.ts'
import { toChangeRequest } from './change-request.ts'
import type { Subject } from './guard.ts'
import type { OperationParts } from './operation-parts.ts'
import type { RequestContext } from './operations.ts'
import { toBody } from './request.ts'

/** A revocation that this site heeds, and what it does to a plugin that runs here. */
export type RevocationView = HeededRevocation & { plugins: string[] }

/** A generation without the details of each package. */
export type GenerationView = Omit<Generation, 'plugins'> & {
  plugins: { name: string; version: string; level: string; hash: string }[]
}

/** What may be asked about plugins that are not there yet, and changed about those that are. */
export interface MarketplaceOperations {
  searchPlugins(context: RequestContext, query: SearchQuery): Promise<SearchResult>
  describePackage(
    context: RequestContext,
    name: string,
    options: { version?: string; source?: string },
  ): Promise<PluginAbout>
  /** What a plugin offers and what it can be configured with, as a page to read. */
  getPluginReference(context: RequestContext, name: string): Promise<{ markdown: string }>
  /** Body: a change request and `reason`. Works it out; nothing that runs changes. */
  planChange(context: RequestContext, body: unknown): Promise<Plan>
  listPlans(context: RequestContext): Promise<Plan[]>
  getPlan(context: RequestContext, id: string): Promise<Plan>
  discardPlan(context: RequestContext, id: string): Promise<void>
  /** Body `{accept?: [], reason?, trial?: {share} | {project} | {user}}`. */
  applyPlan(
    context: RequestContext,
    id: string,
    body: unknown,
  ): Promise<{ generation: GenerationView } | { trial: TrialView }>
  /** What is missing in the settings of a plugin instance. */
  checkPluginSettings(context: RequestContext, instance: string): Promise<SettingsCheck>
  listGenerations(context: RequestContext): Promise<GenerationView[]>
  /** @param refresh - asks registries for newer versions, too */
  listDrift(context: RequestContext, refresh?: boolean): Promise<Drift[]>
  listTrials(context: RequestContext): Promise<TrialView[]>
  /** Body `{verdict: promote | revert, reason?}`. */
  decideTrial(context: RequestContext, plugin: string, body: unknown): Promise<void>
  listRevocations(context: RequestContext): Promise<RevocationView[]>
  /** Body: a revocation, without `since`. It holds at this site, and for members that believe it. */
  revokePackage(context: RequestContext, body: unknown): Promise<void>
  /** Body `{package, versions}`. */
  withdrawRevocation(context: RequestContext, body: unknown): Promise<void>
  refreshMarketplace(
    context: RequestContext,
  ): Promise<{ problems: { source: string; problem: string }[] }>
}

interface MarketplaceParts extends OperationParts {
  marketplace: SiteMarketplace
}

const TYPE = 'PLUGIN'

/** Each is authorized by its own name and, where there is one, by the package: installing can be another role's work. */
export function createMarketplaceOperations(parts: MarketplaceParts): MarketplaceOperations {
  const { guard, marketplace } = parts

  function administer<Result>(
    context: RequestContext,
    about: Omit<Subject, 'type'>,
    run: (by: Actor) => Promise<Result>,
  ): Promise<Result> {
    const subject: Subject = { type: TYPE, ...about }
    return guard(context, subject, async (access) => {
      await access.authorize()
      return run(toActor(access.user))
    })
  }

  /**
   * A change, done once for each `Idempotency-Key`.
   * @param read - what is asked for, and how it is written down; whoever may not log in is not told what is wrong with it
   */
  function change<Asked, Result>(
    context: RequestContext,
    operation: string,
    read: () => Asked & Partial<Subject>,
    run: (by: Actor, asked: Asked) => Promise<Result>,
  ): Promise<Result> {
    const subject: Subject = { type: TYPE, operation }
    return guard(context, subject, async (access) => {
      const asked = read()
      Object.assign(subject, { package: asked.package, detail: asked.detail?.slice(0, 1024) })
      await access.authorize()
      return once(context, access.user, [operation, asked], () => run(toActor(access.user), asked))
    })
  }

  function once<Result>(
    context: RequestContext,
    user: FederationUser,
    asked: unknown,
    run: () => Promise<Result>,
  ): Promise<Result> {
    return parts.idempotently(context, user, asked, async (remember) => {
      const answer = await run()
      await parts.store.write((db) => remember(db, answer))
      return answer
    })
  }

  async function inPlan(
    id: string,
  ): Promise<{ plan: Plan; about: Omit<Subject, 'type' | 'operation'> }> {
    const plan = await marketplace.findPlan(id)
    const [first] = plan.changes
    return { plan, about: { detail: describe(plan), ...(first && { package: first.package }) } }
  }

  /** Every package that a plan changes has to be allowed, not only the first. */
  async function administerPlan<Result>(
    context: RequestContext,
    operation: string,
    id: string,
    read: () => { reason?: string | undefined },
    run: (plan: Plan, by: Actor) => Promise<Result>,
  ): Promise<Result> {
    const subject: Subject = { type: TYPE, operation, detail: `plan ${id.slice(0, 12)}` }
    return guard(context, subject, async (access) => {
      const asked = read()
      const { plan, about } = await findAuthorized(access.authorize)
      // Why it was planned is why it is done, unless somebody says otherwise.
      const why = asked.reason ?? plan.createdBy.reason
      Object.assign(subject, about, { detail: withReason(about.detail ?? '', why) })
      for (const change of plan.changes) {
        subject.package = change.package
        await access.authorize()
      }
      const by = { ...toActor(access.user), ...(why && { reason: why }) }
      return once(context, access.user, [operation, id, asked], () => run(plan, by))
    })

    /** Who may do it for no package at all is not told whether there is such a plan. */
    async function findAuthorized(authorize: () => Promise<void>) {
      const found = await inPlan(id).catch(async (error) => {
        await authorize()
        throw error
      })
      if (found.plan.changes.length === 0) await authorize()
      return found
    }
  }

  return {
    searchPlugins: (context, query) =>
      administer(context, { operation: 'searchPlugins' }, () => marketplace.search(query)),
    describePackage: (context, name, options) =>
      administer(context, { operation: 'describePackage', package: name }, () =>
        marketplace.about(name, options),
      ),
    getPluginReference: (context, name) =>
      administer(context, { operation: 'getPluginReference' }, async () => {
        const slot = parts.plugins.list().find((plugin) => plugin.name === name)
        const { plugins } = await marketplace.current()
        const installed = plugins.find((plugin) => plugin.name === slot?.packageName)
        if (installed) return { markdown: referencePage(name, installed) }
        throw new FogbowError('not_found', `There is no plugin '${name}' at this site`)
      }),
    planChange: (context, body) =>
      change(
        context,
        'planChange',
        () => {
          const asked = toChangeRequest(body)
          const detail = withReason(describeRequest(asked.request), asked.reason)
          return { ...asked, ...packageOf(asked.request), detail }
        },
        (by, { request, reason }) =>
          marketplace.plan(request, { ...by, ...(reason && { reason }) }),
      ),
    listPlans: (context) =>
      administer(context, { operation: 'listPlans' }, () => marketplace.plans()),
    getPlan: (context, id) =>
      administer(context, { operation: 'getPlan' }, () => marketplace.findPlan(id)),
    discardPlan: (context, id) =>
      administerPlan(
        context,
        'discardPlan',
        id,
        () => ({}),
        (plan) => marketplace.discardPlan(plan.id),
      ),
    applyPlan: (context, id, body) =>
      administerPlan(
        context,
        'applyPlan',
        id,
        () => toAcceptance(body),
        async (plan, by) => {
          const { accept, trial } = toAcceptance(body)
          const made = await marketplace.apply(plan.id, accept, by, trial)
          return 'trial' in made ? made : { generation: toGenerationView(made.generation) }
        },
      ),
    checkPluginSettings: (context, instance) => {
      const slot = parts.plugins.list().find(({ name }) => name === instance)
      const about = {
        operation: 'checkPluginSettings',
        ...(slot && { package: slot.packageName }),
      }
      return administer(context, about, () => marketplace.checkSettings(instance))
    },
    listGenerations: (context) =>
      administer(context, { operation: 'listGenerations' }, async () =>
        (await marketplace.generations()).map(toGenerationView),
      ),
    listDrift: (context, refresh = false) =>
      administer(context, { operation: 'listDrift' }, () => marketplace.drift({ refresh })),
    listTrials: (context) =>
      administer(context, { operation: 'listTrials' }, () => marketplace.trials.list()),
    decideTrial: (context, plugin, body) =>
      change(
        context,
        'decideTrial',
        () => {
          const asked = toVerdict(body)
          const slot = parts.plugins.list().find(({ name }) => name === plugin)
          const detail = withReason(`${asked.verdict} ${plugin}`, asked.reason)
          return { ...asked, plugin, detail, ...(slot && { package: slot.packageName }) }
        },
        (by, { verdict, reason }) =>
          marketplace.trials.decide(plugin, verdict, { ...by, ...(reason && { reason }) }),
      ),
    listRevocations: (context) =>
      administer(context, { operation: 'listRevocations' }, async () => {
        const { heeded } = await marketplace.revocations.heeded()
        return heeded.map((revocation) => ({ ...revocation, plugins: sufferersOf(revocation) }))
      }),
    revokePackage: (context, body) =>
      change(
        context,
        'revokePackage',
        () => {
          const { package: name, versions, reason } = toBody(body)
          const detail = `revoke ${String(name)}@${String(versions)}: ${String(reason)}`
          return { revocation: toBody(body), detail }
        },
        async (_by, { revocation }) => {
          await marketplace.revocations.revoke(revocation)
          await marketplace.enforce()
        },
      ),
    withdrawRevocation: (context, body) =>
      change(
        context,
        'withdrawRevocation',
        () => {
          const { name, versions } = toWithdrawal(body)
          const detail = `withdraw the revocation of ${name}@${versions}`
          return { package: name, versions, detail }
        },
        async (_by, { package: name, versions }) => {
          await marketplace.revocations.withdraw(name, versions)
          await marketplace.enforce()
        },
      ),
    refreshMarketplace: (context) =>
      change(
        context,
        'refreshMarketplace',
        () => ({}),
        async () => ({ problems: await marketplace.refresh() }),
      ),
  }

  function sufferersOf(revocation: HeededRevocation): string[] {
    const isSame = (other: HeededRevocation) => JSON.stringify(other) === JSON.stringify(revocation)
    return marketplace
      .revoked()
      .filter((one) => isSame(one.revocation))
      .map(({ plugin }) => plugin)
  }
}

function toActor({ id, identityProviderId }: FederationUser): Actor {
  return { id: `${id}@${identityProviderId}` }
}

function toGenerationView({ plugins, ...generation }: Generation): GenerationView {
  return {
    ...generation,
    plugins: plugins.map(({ name, version, trust, hash }) => ({
      name,
      version,
      level: trust.level,
      hash,
    })),
  }
}

function describe({ request, changes }: Plan): string {
  const versions = changes.map(
    ({ package: name, from, to }) =>
      `${name} ${from?.version ?? 'none'} → ${to?.version ?? 'none'}`,
  )
  return [describeRequest(request), ...versions].join(', ').slice(0, 1024)
}

function describeRequest(request: ChangeRequest): string {
  switch (request.action) {
    case 'install':
      return `install ${request.source}`
    case 'upgrade':
      return `upgrade ${request.package ?? 'everything'}`
    case 'remove':
      return `remove ${request.package}`
    case 'rollback':
      return `rollback to ${request.generation}`
    case 'configure':
      return `configure ${request.instance}`
  }
}

function packageOf(request: ChangeRequest): { package?: string } {
  if (request.action === 'install') {
    const at = request.source.indexOf('@', 1)
    return { package: at === -1 ? request.source : request.source.slice(0, at) }
  }
  return 'package' in request && request.package !== undefined ? { package: request.package } : {}
}

function withReason(text: string, reason: string | undefined): string {
  return (reason ? `${text}; because: ${reason}` : text).slice(0, 1024)
}

function toReason(reason: unknown): string | undefined {
  if (reason === undefined || reason === null) return undefined
  if (typeof reason === 'string' && reason.length <= 1024) return reason
  throw invalid('reason', 'must be a text of at most 1024 characters')
}

function toAcceptance(body: unknown) {
  const { accept = [], reason, trial } = toBody(body)
  if (!Array.isArray(accept) || !accept.every((one) => typeof one === 'string'))
    throw invalid('accept', "must list what is accepted, as the plan's needsAcceptance names it")
  return {
    accept: accept as string[],
    reason: toReason(reason),
    trial: trial === undefined || trial === null ? undefined : toTrialShare(trial),
  }
}

function toVerdict(body: unknown) {
  const { verdict, reason } = toBody(body)
  if (verdict === 'promote' || verdict === 'revert')
    return { verdict, reason: toReason(reason) } as const
  throw invalid('verdict', "must be 'promote' or 'revert'")
}

function toWithdrawal(body: unknown): { name: string; versions: string } {
  const { package: name, versions } = toBody(body)
  if (typeof name !== 'string') throw invalid('package', 'must be the name of a package')
  if (typeof versions !== 'string') throw invalid('versions', 'must be as it was revoked')
  return { name, versions }
}
