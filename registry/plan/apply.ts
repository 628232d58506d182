import { type Clock, FogbowError } from '@fogbow/plugin-sdk'
import type { PluginFolder } from '../installed/plugin-folder.ts'
import type { Actor, Generation, Plan } from '../marketplace.ts'
import { type Assessor, refusalsOf } from './assess.ts'
import { rightsOf, type VersionChange } from './compare.ts'
import { pluginsAfter, settingsAfter } from './planner.ts'

export interface ApplyOptions {
  folder: PluginFolder
  assessor: Assessor
  clock: Pick<Clock, 'now'>
}

export interface ApplyRequest {
  id: string
  accepted: readonly string[]
  by: Actor
  ready?: ((plan: Plan) => Promise<void>) | undefined
}

/** Makes a plan the present generation; see `Marketplace.apply`. */
export async function applyPlan(
  { id, accepted, by, ready }: ApplyRequest,
  options: ApplyOptions,
): Promise<Generation> {
  const { folder } = options
  const present = await folder.current()
  // Whoever did not hear the answer asks again.
  if (present.plan === id) return present
  const plan = await folder.plans.find(id)
  refuseUnfit(plan, present, accepted)
  const plugins = await judgeAgain(plan, by, options)
  // Not while the folder is locked: it takes its time, and may read from the folder itself.
  await ready?.(plan)
  return folder.alone(async () => {
    const now = await folder.current()
    // Somebody may have discarded it meanwhile, or have been faster.
    await folder.plans.find(id)
    refuseStale(plan, now)
    const change = wordsFor(plan)
    const settings = settingsAfter(now, plan)
    const next = await folder.commit({
      by,
      change,
      plan: id,
      plugins: pluginsAfter(now, plugins),
      settings,
    })
    await folder.plans.discard(id)
    await folder.sweep()
    return next
  })
}

function refuseUnfit(plan: Plan, present: Generation, accepted: readonly string[]): void {
  const [refusal] = plan.refusals
  if (refusal !== undefined) throw notPossible(plan, `cannot be applied: ${refusal}`)
  refuseStale(plan, present)
  const open = plan.needsAcceptance.filter((right) => !accepted.includes(right))
  if (open.length === 0) return
  const message = `Plan ${short(plan)} needs to have accepted: ${open.join(', ')}`
  throw new FogbowError('unauthorized', message)
}

function refuseStale(plan: Plan, { number }: Generation): void {
  if (plan.base === number) return
  const problem = `was made for generation ${plan.base}, and ${number} is the present one; plan again`
  throw notPossible(plan, problem)
}

/** By what is known now: since the plan was made, something may have been revoked or the policy have changed. */
async function judgeAgain(
  plan: Plan,
  by: Actor,
  { folder, assessor, clock }: ApplyOptions,
): Promise<VersionChange[]> {
  const at = new Date(clock.now()).toISOString()
  const judged: VersionChange[] = []
  for (const { from, to } of plan.changes) {
    if (!to) {
      judged.push({ from })
      continue
    }
    await folder.store.read(to)
    const verdict = await assessor.again(to, await folder.store.candidate(to))
    const [refusal] = refusalsOf(to.name, to.version, verdict)
    if (refusal !== undefined) throw notPossible(plan, `cannot be applied any more: ${refusal}`)
    const { level, publisher } = verdict
    if (level !== to.trust.level || publisher !== to.trust.publisher)
      throw notPossible(plan, `was made when ${to.name} was trusted otherwise; plan again`)
    const trust = { ...to.trust, checks: verdict.checks }
    const accepted = { by: by.id, at, rights: rightsOf(to) }
    judged.push({ from, to: { ...to, trust, accepted } })
  }
  return judged
}

/** What the plan does, for the list of generations. */
export function wordsFor({ request, changes }: Plan): string {
  switch (request.action) {
    case 'rollback':
      return `rollback to ${request.generation}`
    case 'configure':
      return `configure ${request.instance}`
    case 'remove':
      return `remove ${request.package}`
    case 'install':
    case 'upgrade': {
      const ids = changes.flatMap(({ to }) => (to ? `${to.name}@${to.version}` : []))
      return `${request.action} ${ids.join(', ')}`
    }
  }
}

function notPossible(plan: Plan, problem: string): FogbowError {
  return new FogbowError('unacceptable_operation', `Plan ${short(plan)} ${problem}`)
}

/** What people can tell plans apart by. */
function short({ id }: Plan): string {
  return id.slice(0, 12)
}
