import type { VendorSchemas } from '@fogbow/sandbox/gate'
import type {
  Actor,
  ChangeRequest,
  Generation,
  LockedPlugin,
  PackageChange,
  Plan,
} from '../marketplace.ts'
import { refusalsOf } from './assess.ts'
import { compare, rightsToAccept, type VersionChange } from './compare.ts'
import { type Draft, type DraftedChange, type DraftOptions, draftOf } from './draft.ts'
import {
  checkSettings,
  inForce,
  problemOfSettings,
  type SettingsByInstance,
} from './instance-settings.ts'
import { otherBytes } from './other-bytes.ts'

export interface PlannerOptions extends DraftOptions {
  schemas: Pick<VendorSchemas, 'complete'>
  /** Plugin instances as the configuration file has them. */
  configured(): Promise<SettingsByInstance>
}

/** From a request to a plan that waits, with its bundles in the store; changes nothing that runs. */
export type Planner = (request: ChangeRequest, by: Actor) => Promise<Plan>

export function createPlanner(options: PlannerOptions): Planner {
  const { folder, clock } = options

  return async (request, by) => {
    const present = await folder.current()
    const draft = await draftOf(request, { by, present }, options)
    const settings = inForce(await options.configured(), settingsAfter(present, draft))
    const changes = await Promise.all(draft.changes.map((one) => describe(one, settings, options)))
    const refusals = [
      ...draft.refusals,
      ...problemsOfWritten(draft),
      ...changes.flatMap((change) => refusalsOfChange(change, settings)),
      ...(await problemsOfConfigured(present, draft, settings, options)),
      ...otherBytes(changes, await folder.generations()),
    ]
    const plan: Omit<Plan, 'id'> = {
      request,
      base: present.number,
      createdAt: new Date(clock.now()).toISOString(),
      createdBy: by,
      changes,
      settings: draft.settings,
      needsAcceptance: toAccept(draft.changes),
      refusals: [...new Set(refusals)],
      notes: draft.notes,
    }
    return folder.alone(() => keep(plan, draft, options))
  }
}

/** The bundles first: a plan that waits can be applied. */
async function keep(
  plan: Omit<Plan, 'id'>,
  { changes }: Draft,
  { folder }: PlannerOptions,
): Promise<Plan> {
  for (const { to, proposal, candidate } of changes) {
    if (!to || !proposal) continue
    const { bundle, build } = proposal.built
    await folder.store.put(to, bundle, { ...(build && { build }), ...(candidate && { candidate }) })
  }
  return folder.plans.put(plan)
}

/** What was set through the marketplace, once the plan is applied. */
export function settingsAfter(
  { settings }: Pick<Generation, 'settings'>,
  plan: Pick<Plan, 'settings'>,
): Generation['settings'] {
  const all = Object.entries({ ...settings, ...plan.settings })
  return Object.fromEntries(all.flatMap(([name, one]) => (one === null ? [] : [[name, one]])))
}

/** What is installed, once the plan is applied. */
export function pluginsAfter(
  { plugins }: Generation,
  changes: readonly VersionChange[],
): LockedPlugin[] {
  const gone = new Set(changes.map(({ from, to }) => (from ?? to)?.name))
  const kept = plugins.filter(({ name }) => !gone.has(name))
  return [...kept, ...changes.flatMap(({ to }) => to ?? [])]
}

async function describe(
  { from, to, verdict, candidate }: DraftedChange,
  settings: SettingsByInstance,
  { schemas }: PlannerOptions,
): Promise<PackageChange> {
  return {
    package: (to ?? from)?.name ?? '',
    ...(from && { from }),
    ...(to && { to }),
    ...(verdict && { verdict }),
    ...compare(from, to),
    settings: to ? await checkSettings(to, settings, schemas) : [],
    advisories: [...(candidate?.advisories ?? [])],
  }
}

function refusalsOfChange(
  { package: name, to, verdict, settings: checked }: PackageChange,
  settings: SettingsByInstance,
): string[] {
  if (!to) return usersOf(name, settings)
  const verdicts = verdict ? refusalsOf(name, to.version, verdict) : []
  return [...verdicts, ...problemsOf(checked, to)]
}

function usersOf(name: string, settings: SettingsByInstance): string[] {
  const users = Object.entries(settings).filter(([, one]) => one.package === name)
  const names = users.map(([instance]) => `'${instance}'`).join(', ')
  const isUsed = users.length > 0
  return isUsed ? [`Plugin ${names} of the site is made of ${name}; remove that first`] : []
}

function problemsOf(checked: PackageChange['settings'], { name, version }: LockedPlugin): string[] {
  return checked.flatMap(({ instance, problem }) =>
    problem === undefined ? [] : [`Settings of '${instance}' for ${name}@${version}: ${problem}`],
  )
}

function problemsOfWritten({ settings }: Draft): string[] {
  return Object.entries(settings).flatMap(([instance, one]) =>
    one === null ? [] : (problemOfSettings(instance, one) ?? []),
  )
}

/** Settings that were asked for are for packages, too, that the plan does not change. */
async function problemsOfConfigured(
  present: Generation,
  draft: Draft,
  settings: SettingsByInstance,
  { schemas }: PlannerOptions,
): Promise<string[]> {
  const changed = new Set(draft.changes.map(({ to }) => to?.name))
  const problems: string[] = []
  for (const instance of Object.keys(draft.settings)) {
    const own = settings[instance]
    const plugin = present.plugins.find(({ name }) => name === own?.package)
    if (!own || !plugin || changed.has(plugin.name)) continue
    const checked = await checkSettings(plugin, { [instance]: own }, schemas)
    problems.push(...problemsOf(checked, plugin))
  }
  return problems
}

function toAccept(changes: readonly DraftedChange[]): string[] {
  const several = changes.filter(({ to }) => to).length > 1
  return changes.flatMap((change) => {
    const name = change.to?.name ?? ''
    const rights = rightsToAccept(change).filter((right) => isNew(right, change))
    return several ? rights.map((right) => `${name}: ${right}`) : rights
  })
}

/** To go back asks for no more than what was not accepted then: it has to be quick when something is wrong. */
function isNew(right: string, { acceptedBefore }: DraftedChange): boolean {
  if (!acceptedBefore) return true
  return /^(capability|license|level) /.test(right) && !acceptedBefore.includes(right)
}
