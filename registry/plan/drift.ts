import type { PluginFolder } from '../installed/plugin-folder.ts'
import type { Drift, Generation, LockedPlugin } from '../marketplace.ts'
import type { Assessor } from './assess.ts'
import type { SettingsByInstance } from './instance-settings.ts'
import type { NewerVersions } from './newer-versions.ts'

export interface DriftOptions {
  folder: PluginFolder
  assessor: Assessor
  /** Plugin instances as the configuration file has them. */
  configured(): Promise<SettingsByInstance>
  newerVersions: NewerVersions
  /** Whether registries are asked. */
  refresh?: boolean
}

/** Where configuration file, lock file, store and policy say different things. */
export async function findDrift(options: DriftOptions): Promise<Drift[]> {
  const present = await options.folder.current()
  const configured = await options.configured()
  const unasked = options.refresh ? await options.newerVersions.ask(present.plugins) : []
  const ofPlugins = await Promise.all(
    present.plugins.map(async (plugin) => [
      ...(await ofBundle(plugin, options)),
      ...(await ofTrust(plugin, options)),
      ...(await ofVersions(plugin, options)),
    ]),
  )
  return [
    ...(await ofGenerations(options)),
    ...ofInstances(present, configured),
    ...ofSettings(present, configured),
    ...ofPlugins.flat(),
    ...unasked.map(toUnasked),
  ]
}

async function ofGenerations({ folder }: DriftOptions): Promise<Drift[]> {
  return (await folder.generations()).flatMap(({ number, problem }): Drift[] => {
    if (problem === undefined) return []
    const remedy =
      'restore that file from a backup, or delete it; what is installed does not need it'
    return [
      { kind: 'damaged generation', subject: `generation ${number}`, message: problem, remedy },
    ]
  })
}

function ofInstances({ plugins, settings }: Generation, configured: SettingsByInstance): Drift[] {
  const names = new Set([...Object.keys(configured), ...Object.keys(settings)])
  const wanted = [...names].map((instance) => {
    const name = configured[instance]?.package ?? settings[instance]?.package
    return { instance, name }
  })
  const missing = wanted.flatMap(({ instance, name }): Drift[] => {
    if (name === undefined || plugins.some((plugin) => plugin.name === name)) return []
    const message = `Plugin '${instance}' of the site is made of ${name}, which is not installed`
    const remedy = `install it: fogbow plugin install ${name}`
    return [{ kind: 'not installed', subject: instance, message, remedy }]
  })
  const used = new Set(wanted.map(({ name }) => name))
  const idle = plugins.filter(({ name }) => !used.has(name))
  return [...missing, ...idle.map(toUnused)]
}

function toUnused({ name, version }: LockedPlugin): Drift {
  const message = `${name}@${version} is installed, and no plugin of the site is made of it`
  const remedy = 'write it into the configuration, or remove it'
  return { kind: 'not used', subject: name, message, remedy }
}

function ofSettings({ settings }: Generation, configured: SettingsByInstance): Drift[] {
  return Object.entries(settings).flatMap(([instance, own]): Drift[] => {
    const file = configured[instance]
    const keys = Object.keys(own.config ?? {}).filter((key) =>
      differs(file?.config, own.config, key),
    )
    const secrets = Object.keys(own.secrets ?? {}).filter((key) =>
      differs(file?.secrets, own.secrets, key),
    )
    const overridden = [
      ...keys.map((key) => `config.${key}`),
      ...secrets.map((key) => `secrets.${key}`),
    ]
    if (overridden.length === 0) return []
    const message = `The configuration file says something else than the marketplace: ${overridden.join(', ')}`
    const remedy = 'take it out of one of the two; the configuration file counts'
    return [{ kind: 'overridden setting', subject: instance, message, remedy }]
  })
}

function differs(
  file: Readonly<Record<string, unknown>> | undefined,
  own: Readonly<Record<string, unknown>> | undefined,
  key: string,
): boolean {
  if (!file || !Object.hasOwn(file, key)) return false
  return JSON.stringify(file[key]) !== JSON.stringify(own?.[key])
}

async function ofBundle(plugin: LockedPlugin, { folder }: DriftOptions): Promise<Drift[]> {
  try {
    await folder.store.read(plugin)
    return []
  } catch (error) {
    const { message } = error as Error
    const remedy = `install it again from '${plugin.source}'`
    return [{ kind: 'damaged bundle', subject: plugin.name, message, remedy }]
  }
}

async function ofTrust(plugin: LockedPlugin, { folder, assessor }: DriftOptions): Promise<Drift[]> {
  const verdict = await assessor.again(plugin, await folder.store.candidate(plugin))
  const id = `${plugin.name}@${plugin.version}`
  const refused = verdict.refusals.map(
    ({ rule, message, remedy = 'install another version, or change the policy' }): Drift => ({
      kind: rule === 'revocation' ? 'revoked' : 'policy changed',
      subject: plugin.name,
      message: `${id} would not be let in now: ${message}`,
      remedy,
    }),
  )
  if (refused.length > 0 || verdict.level === plugin.trust.level) return refused
  const message = `${id} was let in as '${plugin.trust.level}' and would be '${verdict.level}' now`
  const remedy = 'install it again, so that it runs as it is trusted'
  return [{ kind: 'policy changed', subject: plugin.name, message, remedy }]
}

async function ofVersions(plugin: LockedPlugin, { newerVersions }: DriftOptions): Promise<Drift[]> {
  const newer = await newerVersions.knownOf(plugin)
  if (newer === undefined) return []
  const { name, version } = plugin
  const message = `${name}@${newer} suits this site, and ${version} is installed`
  const remedy = `see what it brings: fogbow plugin upgrade ${name} --plan-only`
  return [{ kind: 'newer version', subject: name, message, remedy }]
}

function toUnasked({
  plugin: { name },
  problem,
}: {
  plugin: LockedPlugin
  problem: string
}): Drift {
  const message = `It is not known whether there is a newer version: ${problem}`
  return { kind: 'nobody asked', subject: name, message, remedy: 'try again' }
}
