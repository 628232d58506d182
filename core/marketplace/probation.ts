import type { Actor, Generation, Marketplace, Plan } from '@fogbow/registry'
import type { Logger } from 'pino'

export interface ProbationParts {
  marketplace: Pick<Marketplace, 'current' | 'generations' | 'plan'>
  /** How long after a change a plugin is watched, ms. */
  lastsMs(): number
  now(): number
  /** Applies a plan as if an administrator had accepted all of it. */
  apply(plan: Plan, by: Actor): Promise<unknown>
  packageOf(instance: string): string | undefined
  log: Logger
}

/**
 * Takes a change back whose plugin crashes again and again.
 * @param instance - plugin that was quarantined
 * @param bundleHash - code that it ran
 * @returns the generation that was gone back to
 */
export async function rollBackIfNew(
  instance: string,
  bundleHash: string,
  reason: string,
  parts: ProbationParts,
): Promise<number | undefined> {
  const present = await parts.marketplace.current()
  const packageName = parts.packageOf(instance)
  if (packageName === undefined || !isNew(present, packageName, bundleHash, parts)) return undefined
  const before = (await parts.marketplace.generations()).find(
    ({ number, problem }) => number < present.number && problem === undefined,
  )
  // A first installation has nothing to go back to: it stays, quarantined and with its reason.
  if (!before?.plugins.some(({ name }) => name === packageName)) return undefined
  const by: Actor = {
    id: 'site',
    reason: `plugin '${instance}' (${packageName}) crashed in a loop after '${present.change}': ${reason}`,
  }
  const plan = await parts.marketplace.plan({ action: 'rollback', generation: before.number }, by)
  await parts.apply(plan, by)
  parts.log.error(
    { plugin: instance, package: packageName, generation: before.number, reason },
    'a change of a plugin was taken back by itself',
  )
  return before.number
}

/** Whether the present generation brought this code or these settings lately. */
function isNew(
  { at, by, plugins }: Generation,
  packageName: string,
  bundleHash: string,
  { lastsMs, now }: ProbationParts,
): boolean {
  if (by.id === 'site' || now() - Date.parse(at) > lastsMs()) return false
  return plugins.some(({ name, hash }) => name === packageName && hash === bundleHash)
}
