import { FogbowError } from '@fogbow/plugin-sdk'
import type { LockedPlugin, Plan } from '@fogbow/registry'
import type { Bundle } from '@fogbow/sandbox'
import type { LoadedConfig } from '../config/index.ts'
import type { LivePlugin, PluginHost } from '../plugins/index.ts'
import type { Store } from '../store/index.ts'
import { instancesOf, refuseDropped, refuseWhileInUse } from './plugin-users.ts'
import { tryPlugin } from './try-plugin.ts'

export interface ChangeParts {
  plugins: PluginHost
  store: Store
  /** The configuration in force. */
  loaded(): LoadedConfig
  /** As it would be with these settings of the marketplace. */
  loadedWith(plan: Plan): Promise<LoadedConfig>
  bundleOf(plugin: LockedPlugin): Promise<Bundle>
  installed(packageName: string): Promise<LockedPlugin | undefined>
}

/** A version that was started and tried, and takes over when its change is made. */
export interface PreparedPlugin {
  name: string
  next: LivePlugin
}

/** What has to run differently after a plan, started beside what runs now. */
export interface PreparedChange {
  loaded: LoadedConfig
  plugins: PreparedPlugin[]
}

/**
 * Starts and tries everything that a plan changes. Either all of it is ready, or none of it runs.
 * @throws FogbowError: what speaks against the plan
 */
export async function prepareChange(plan: Plan, parts: ChangeParts): Promise<PreparedChange> {
  await refuseRemovals(plan, parts)
  const loaded = await parts.loadedWith(plan)
  await refuseDropped(parts.store, parts.loaded().config, loaded.config)
  const changed = await changedInstances(plan, loaded, parts)
  const outcomes = await Promise.allSettled(
    changed.map(async ({ name, plugin }): Promise<PreparedPlugin> => {
      const bundle = await parts.bundleOf(plugin)
      const next = await parts.plugins.prepare(name, loaded, { plugin, bundle })
      return { name, next: await tried(name, next, parts) }
    }),
  )
  const failure = outcomes.find((outcome) => outcome.status === 'rejected')
  const plugins = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value] : [],
  )
  if (!failure) return { loaded, plugins }
  await discard({ plugins })
  throw failure.reason
}

/** Stops what was prepared for a change that is not made. */
export async function discard({ plugins }: Pick<PreparedChange, 'plugins'>): Promise<void> {
  await Promise.all(plugins.map(({ next }) => next.stop()))
}

async function tried(name: string, next: LivePlugin, parts: ChangeParts): Promise<LivePlugin> {
  try {
    await tryPlugin(next, runningNow(name, parts)?.present)
    return next
  } catch (error) {
    await next.stop()
    throw error
  }
}

function runningNow(name: string, { plugins }: ChangeParts) {
  return plugins.list().find((plugin) => plugin.name === name)
}

/** Removing a package that open orders need is refused with the orders. @throws unacceptable_operation */
export async function refuseRemovalInUse(
  packageName: string,
  { plugins, store, loaded }: Pick<ChangeParts, 'plugins' | 'store' | 'loaded'>,
): Promise<void> {
  for (const instance of instancesOf(plugins, packageName))
    await refuseWhileInUse(store, loaded().config, instance, `Removing ${packageName}`)
}

async function refuseRemovals(plan: Plan, parts: ChangeParts): Promise<void> {
  for (const { package: packageName, to } of plan.changes) {
    if (to) continue
    await refuseRemovalInUse(packageName, parts)
    for (const instance of instancesOf(parts.plugins, packageName)) {
      const message = `Removing ${packageName}: plugins.${instance} of the configuration runs it; take that out first`
      throw new FogbowError('unacceptable_operation', message)
    }
  }
}

/** Instances that would run other code or with other settings, and that run now. */
async function changedInstances(
  plan: Plan,
  loaded: LoadedConfig,
  parts: ChangeParts,
): Promise<{ name: string; plugin: LockedPlugin }[]> {
  const changed: { name: string; plugin: LockedPlugin }[] = []
  for (const [name, config] of Object.entries(loaded.config.plugins)) {
    const packageName = runningNow(name, parts)?.packageName ?? config.package
    const to = plan.changes.find((change) => change.to?.name === packageName)?.to
    if (!to && !Object.hasOwn(plan.settings, name)) continue
    const plugin = to ?? (await parts.installed(packageName))
    // One that is new to the site runs after the next reading of its configuration.
    if (plugin && runningNow(name, parts)) changed.push({ name, plugin })
  }
  return changed
}
