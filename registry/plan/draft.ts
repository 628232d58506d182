import { type Clock, FogbowError } from '@fogbow/plugin-sdk'
import type { PluginFolder } from '../installed/plugin-folder.ts'
import type {
  Actor,
  ChangeRequest,
  Generation,
  InstanceSettings,
  LockedPlugin,
  Verdict,
} from '../marketplace.ts'
import type { Candidate } from '../trust/candidate.ts'
import { type Assessor, refusalsOf } from './assess.ts'
import { rightsOf } from './compare.ts'
import type { Proposal, Proposals } from './proposal.ts'

/** What a request comes to, before it is compared with what is there. */
export interface Draft {
  changes: DraftedChange[]
  settings: Record<string, InstanceSettings | null>
  refusals: string[]
  notes: string[]
}

export interface DraftedChange {
  from?: LockedPlugin | undefined
  to?: LockedPlugin
  verdict?: Verdict
  candidate?: Candidate | undefined
  /** Absent for what is in the store already. */
  proposal?: Proposal
  /** Rights that were accepted for these very bytes; only what else is new has to be. */
  acceptedBefore?: readonly string[]
}

export interface DraftOptions {
  folder: PluginFolder
  proposals: Proposals
  assessor: Assessor
  clock: Pick<Clock, 'now'>
}

interface Occasion {
  by: Actor
  present: Generation
}

const nothing: Draft = { changes: [], settings: {}, refusals: [], notes: [] }

/** Finds out what a request means here and now. @throws not_found, invalid_parameter, unavailable_provider */
export async function draftOf(
  request: ChangeRequest,
  occasion: Occasion,
  options: DraftOptions,
): Promise<Draft> {
  const { present } = occasion
  switch (request.action) {
    case 'install': {
      const proposal = await options.proposals.of(request.source, present, request.registry)
      const changes = [toChange(proposal, occasion, options)]
      return { ...nothing, changes, notes: proposal.notes, settings: request.settings ?? {} }
    }
    case 'upgrade':
      return draftUpgrade(request, occasion, options)
    case 'remove':
      return { ...nothing, changes: [{ from: installed(present, request.package) }] }
    case 'rollback':
      return draftRollback(request.generation, present, options)
    case 'configure':
      return { ...nothing, settings: { [request.instance]: request.settings } }
  }
}

function toChange(
  proposal: Proposal,
  { by, present }: Occasion,
  { clock }: DraftOptions,
): DraftedChange {
  const { verdict, candidate } = proposal
  const to = toLocked(proposal, by, new Date(clock.now()).toISOString())
  const from = present.plugins.find(({ name }) => name === to.name)
  return { from, to, verdict, candidate, proposal }
}

/** As the lock file will have it. */
export function toLocked(
  { built, verdict }: Pick<Proposal, 'built' | 'verdict'>,
  by: Actor,
  at: string,
): LockedPlugin {
  const plugin: LockedPlugin = {
    ...built.plugin,
    installedAt: at,
    trust: trustOf(verdict),
    accepted: { by: by.id, at, rights: [] },
    components: [...built.candidate.components],
  }
  return { ...plugin, accepted: { ...plugin.accepted, rights: rightsOf(plugin) } }
}

function trustOf({ level, publisher, checks }: Verdict): LockedPlugin['trust'] {
  return { level, checks, ...(publisher !== undefined && { publisher }) }
}

async function draftUpgrade(
  { package: named, settings = {} }: ChangeRequest & { action: 'upgrade' },
  occasion: Occasion,
  options: DraftOptions,
): Promise<Draft> {
  const { plugins } = occasion.present
  const changes: DraftedChange[] = []
  const notes: string[] = []
  for (const plugin of named === undefined ? plugins : [installed(occasion.present, named)]) {
    const proposal = await options.proposals.newerThan(plugin)
    if (typeof proposal === 'string') {
      notes.push(`${plugin.name} ${proposal}`)
      continue
    }
    notes.push(...proposal.notes)
    const { name, version } = proposal.built.plugin
    const refusals = refusalsOf(name, version, proposal.verdict)
    // One that is refused must not hold up the others.
    if (named === undefined && refusals.length > 0) notes.push(...refusals)
    else changes.push(toChange(proposal, occasion, options))
  }
  const refusals = changes.length === 0 ? [`Nothing to upgrade: ${notes.join('; ')}`] : []
  return { changes, settings, refusals, notes }
}

async function draftRollback(
  number: number,
  present: Generation,
  options: DraftOptions,
): Promise<Draft> {
  const target = (await options.folder.generations()).find((one) => one.number === number)
  if (!target) throw new FogbowError('not_found', `Generation ${number} is not kept`)
  if (target.problem !== undefined) throw new FogbowError('configuration_error', target.problem)
  const names = [...new Set([...present.plugins, ...target.plugins].map(({ name }) => name))]
  const changes: DraftedChange[] = []
  for (const name of names.sort()) {
    const from = present.plugins.find((one) => one.name === name)
    const to = target.plugins.find((one) => one.name === name)
    if (from && to && isSame(from, to)) continue
    changes.push(to ? await changeBack(from, to, options) : { from })
  }
  const settings = settingsBack(present.settings, target.settings)
  const damaged = await Promise.all(changes.map(({ to }) => problemOfBundle(to, options)))
  const isNothing = changes.length === 0 && Object.keys(settings).length === 0
  const same = isNothing ? [`Generation ${number} says the same as the present one`] : []
  return { changes, settings, refusals: [...damaged.flat(), ...same], notes: [] }
}

/** A folder has but one content, whatever it held at that time. */
function isSame(from: LockedPlugin, to: LockedPlugin): boolean {
  if (from.sourceKind === 'folder' && to.sourceKind === 'folder') return from.source === to.source
  return from.hash === to.hash && from.version === to.version
}

async function changeBack(
  from: LockedPlugin | undefined,
  to: LockedPlugin,
  { folder, assessor }: DraftOptions,
): Promise<DraftedChange> {
  const candidate = await folder.store.candidate(to)
  const verdict = await assessor.again(to, candidate)
  const judged = { ...to, trust: trustOf(verdict) }
  return { from, to: judged, verdict, candidate, acceptedBefore: to.accepted.rights }
}

async function problemOfBundle(
  plugin: LockedPlugin | undefined,
  { folder }: DraftOptions,
): Promise<string[]> {
  if (!plugin) return []
  return folder.store.read(plugin).then(
    () => [],
    (error: Error) => [error.message],
  )
}

function settingsBack(
  present: Generation['settings'],
  target: Generation['settings'],
): Draft['settings'] {
  const dropped = Object.keys(present).filter((instance) => !Object.hasOwn(target, instance))
  const changed = Object.entries(target).filter(
    ([instance, settings]) => JSON.stringify(settings) !== JSON.stringify(present[instance]),
  )
  return Object.fromEntries([...dropped.map((instance) => [instance, null]), ...changed])
}

function installed({ plugins }: Generation, name: string): LockedPlugin {
  const found = plugins.find((plugin) => plugin.name === name)
  if (!found) throw new FogbowError('not_found', `No plugin '${name}' is installed`)
  return found
}
