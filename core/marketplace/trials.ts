import { FogbowError, invalid } from '@fogbow/plugin-sdk'
import type { Actor, Plan } from '@fogbow/registry'
import type { Logger } from 'pino'
import { createTrial, type PluginHost, type TrialShare } from '../plugins/index.ts'
import type { Store } from '../store/index.ts'
import { type ChangeParts, discard, prepareChange } from './change-plugins.ts'

/** A version that is tried out, as an administrator sees it. */
export interface TrialView {
  plugin: string
  package: string
  present: string
  tried: string
  plan: string
  of: TrialShare
  startedAt: string
  startedBy: string
  counts: {
    present: { calls: number; failures: number }
    tried: { calls: number; failures: number }
  }
}

/** When a trial is judged by itself. */
export interface TrialRules {
  minutes: number
  calls: number
  moreFailures: number
}

export interface TrialParts extends ChangeParts {
  plugins: PluginHost
  store: Store
  rules(): TrialRules
  drainMs(): number
  findPlan(id: string): Promise<Plan>
  /** Makes the plan the present generation, with the version that was tried as the one that serves. */
  promote(plan: Plan, accepted: readonly string[], by: Actor): Promise<unknown>
  discardPlan(id: string): Promise<void>
  now(): number
  log: Logger
}

export interface Trials {
  /** @throws unacceptable_operation when the plan is no change of the version of one plugin, or one is tried out already */
  start(plan: Plan, of: TrialShare, accepted: readonly string[], by: Actor): Promise<TrialView>
  list(): Promise<TrialView[]>
  /** Ends a trial. @throws not_found */
  decide(plugin: string, verdict: 'promote' | 'revert', by: Actor): Promise<void>
  /** Ends those of which enough is known. */
  judge(): Promise<void>
  /** Takes up again what was under way before a restart of the site. */
  resume(): Promise<void>
}

interface Row {
  plugin: string
  plan: string
  share: string
  accepted: string
  started_by: string
  started_at: number
}

/** Below this many calls a failure may be chance. */
const FEWEST_CALLS_TO_FAIL = 5

export function createTrials(parts: TrialParts): Trials {
  const { plugins, store, log } = parts
  let judging = false

  const rows = async (): Promise<Row[]> =>
    (await store.db.selectFrom('plugin_trials').selectAll().execute()) as Row[]
  const forget = (plugin: string) =>
    store.write((db) => db.deleteFrom('plugin_trials').where('plugin', '=', plugin).execute())

  async function run(plan: Plan, of: TrialShare): Promise<string> {
    const prepared = await prepareChange(plan, parts)
    const [only, ...more] = prepared.plugins
    if (!only || more.length > 0) {
      await discard(prepared)
      const message = `A trial is of one plugin that runs, and this plan changes ${prepared.plugins.length}`
      throw new FogbowError('unacceptable_operation', message)
    }
    plugins.get(only.name).startTrial(createTrial(only.next, of))
    return only.name
  }

  async function find(plugin: string): Promise<Row> {
    const row = (await rows()).find((one) => one.plugin === plugin)
    if (row) return row
    throw new FogbowError('not_found', `No other version of '${plugin}' is being tried out`)
  }

  async function revert(row: Row, reason: string): Promise<void> {
    await plugins.get(row.plugin).endTrial(parts.drainMs())
    await forget(row.plugin)
    await parts.discardPlan(row.plan).catch(() => {})
    log.warn({ plugin: row.plugin, plan: row.plan, reason }, 'trial of a plugin was ended')
  }

  async function promote(row: Row, by: Actor): Promise<void> {
    const plan = await parts.findPlan(row.plan)
    await parts.promote(plan, JSON.parse(row.accepted) as string[], by)
    await forget(row.plugin)
    log.info({ plugin: row.plugin, plan: row.plan, by: by.id }, 'trial of a plugin was passed')
  }

  async function judgeOne(row: Row): Promise<void> {
    const verdict = verdictOn(row)
    if (!verdict) return
    if (verdict.passed) await promote(row, { id: row.started_by, reason: verdict.reason })
    else await revert(row, verdict.reason)
  }

  function verdictOn(row: Row): { passed: boolean; reason: string } | undefined {
    const trial = plugins.get(row.plugin).trial
    if (!trial) return undefined
    const { minutes, calls, moreFailures } = parts.rules()
    const { state, reason } = trial.plugin.health()
    if (state === 'quarantined' || state === 'stopped')
      return { passed: false, reason: `it is ${state}: ${reason?.message ?? ''}` }
    const { present, tried } = trial.counts
    const worse = rateOf(tried) - rateOf(present)
    if (tried.calls >= FEWEST_CALLS_TO_FAIL && worse > moreFailures)
      return { passed: false, reason: `${tried.failures} of ${tried.calls} calls failed` }
    const isLongEnough = parts.now() - row.started_at >= minutes * 60_000
    if (!isLongEnough || tried.calls < calls) return undefined
    return {
      passed: true,
      reason: `trial passed: ${tried.failures} of ${tried.calls} calls failed`,
    }
  }

  function toView(row: Row): TrialView {
    const slot = plugins.get(row.plugin)
    const none = { calls: 0, failures: 0 }
    return {
      plugin: row.plugin,
      package: slot.packageName,
      present: slot.version,
      tried: slot.trial?.plugin.version ?? '',
      plan: row.plan,
      of: JSON.parse(row.share) as TrialShare,
      startedAt: new Date(row.started_at).toISOString(),
      startedBy: row.started_by,
      counts: slot.trial?.counts ?? { present: none, tried: none },
    }
  }

  return {
    async start(plan, of, accepted, by) {
      const open = plan.needsAcceptance.filter((right) => !accepted.includes(right))
      if (open.length > 0)
        throw new FogbowError('unauthorized', `The plan needs to have accepted: ${open.join(', ')}`)
      const [refusal] = plan.refusals
      if (refusal) throw new FogbowError('unacceptable_operation', refusal)
      const [change] = plan.changes
      const names = plugins.list().filter((slot) => slot.packageName === change?.package)
      const busy = names.find((slot) => slot.trial)
      if (busy) {
        const message = `Another version of '${busy.name}' is being tried out already`
        throw new FogbowError('unacceptable_operation', message)
      }
      const plugin = await run(plan, of)
      const row = {
        plugin,
        plan: plan.id,
        share: JSON.stringify(of),
        accepted: JSON.stringify(accepted),
        started_by: by.id,
        started_at: parts.now(),
      }
      await store.write((db) => db.insertInto('plugin_trials').values(row).execute())
      return toView(row)
    },
    list: async () => (await rows()).map(toView),
    async decide(plugin, verdict, by) {
      const row = await find(plugin)
      if (verdict === 'promote') await promote(row, by)
      else await revert(row, `${by.id} ended it${by.reason ? `: ${by.reason}` : ''}`)
    },
    async judge() {
      if (judging || !plugins.list().some(({ trial }) => trial)) return
      judging = true
      try {
        for (const row of await rows())
          await judgeOne(row).catch((err) =>
            log.error({ err, plugin: row.plugin }, 'trial of a plugin could not be judged'),
          )
      } finally {
        judging = false
      }
    },
    async resume() {
      for (const row of await rows()) {
        try {
          await run(await parts.findPlan(row.plan), JSON.parse(row.share) as TrialShare)
        } catch (error) {
          log.warn({ err: error, plugin: row.plugin }, 'trial of a plugin could not go on')
          await forget(row.plugin)
        }
      }
    },
  }
}

function rateOf({ calls, failures }: { calls: number; failures: number }): number {
  return calls === 0 ? 0 : failures / calls
}

/** @throws invalid_parameter naming the field */
export function toTrialShare(written: unknown): TrialShare {
  const fields = typeof written === 'object' && written !== null ? written : {}
  const entries = Object.entries(fields)
  const [[key, value] = []] = entries
  if (entries.length === 1 && key === 'share' && isShare(value)) return { share: value }
  if (entries.length === 1 && (key === 'project' || key === 'user') && isName(value))
    return key === 'project' ? { project: value } : { user: value }
  throw invalid('trial', 'must have one of share (more than 0, at most 1), project or user')
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= 1
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 255
}
