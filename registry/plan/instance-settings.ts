import { FogbowError } from '@fogbow/plugin-sdk'
import { joinPath, validatorFor } from '@fogbow/plugin-sdk/validate'
import type { VendorSchemas } from '@fogbow/sandbox/gate'
import { instanceSettingsSchema } from '../installed/lock-schema.ts'
import type { Generation, InstanceSettings, LockedPlugin, SettingsCheck } from '../marketplace.ts'

export type SettingsByInstance = Readonly<Record<string, InstanceSettings>>

const INSTANCE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const REFERENCE = /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/s

/** What the site would use: the configuration file goes before what was set through the marketplace, key by key. */
export function inForce(file: SettingsByInstance, own: SettingsByInstance): SettingsByInstance {
  const names = [...new Set([...Object.keys(file), ...Object.keys(own)])]
  return Object.fromEntries(names.map((name) => [name, merge(own[name] ?? {}, file[name] ?? {})]))
}

function merge(own: InstanceSettings, file: InstanceSettings): InstanceSettings {
  return {
    ...own,
    ...file,
    config: { ...own.config, ...file.config },
    secrets: { ...own.secrets, ...file.secrets },
  }
}

/** What is wrong with settings whatever the plugin is. A value is never repeated: it may be a secret. */
export function problemOfSettings(instance: string, settings: unknown): string | undefined {
  if (!INSTANCE_NAME.test(instance))
    return `settings: '${instance.slice(0, 64)}' is no name of a plugin instance`
  const problem = validatorFor(instanceSettingsSchema)(settings)
  if (problem) return `${joinPath(`settings.${instance}`, problem.field)} ${problem.message}`
  const { secrets = {} } = settings as InstanceSettings
  const bad = Object.entries(secrets).find(([, reference]) => !REFERENCE.test(reference))
  if (bad)
    return `settings.${instance}.secrets.${bad[0]} must be a reference, env:NAME or file:path, and never the secret itself`
  return undefined
}

/** How the settings of each instance of a package suit one version of it; those that suit it well are left out. */
export async function checkSettings(
  plugin: LockedPlugin,
  settings: SettingsByInstance,
  schemas: Pick<VendorSchemas, 'complete'>,
): Promise<SettingsCheck[]> {
  const own = Object.entries(settings).filter(([, { package: name }]) => name === plugin.name)
  const all = await Promise.all(own.map((one) => checkInstance(plugin, one, schemas)))
  return all.filter(
    ({ missing, secrets, unknown, problem }) =>
      missing.length + secrets.length + unknown.length > 0 || problem !== undefined,
  )
}

async function checkInstance(
  plugin: LockedPlugin,
  [instance, { config = {}, secrets = {} }]: [string, InstanceSettings],
  schemas: Pick<VendorSchemas, 'complete'>,
): Promise<SettingsCheck> {
  const { required, known, descriptions } = keysOf(plugin.manifest.config)
  const missing = required.filter((key) => !Object.hasOwn(config, key))
  const asked = plugin.manifest.capabilities?.secrets ?? []
  const problem =
    problemOfSecrets(plugin, secrets) ?? (await problemOfConfig(plugin, config, schemas))
  return {
    instance,
    missing,
    secrets: asked.filter((secret) => !Object.hasOwn(secrets, secret)),
    unknown: known ? Object.keys(config).filter((key) => !known.includes(key)) : [],
    descriptions: Object.fromEntries(descriptions.filter(([key]) => missing.includes(key))),
    ...(problem !== undefined && { problem }),
  }
}

/** See `Marketplace.checkSettings`. */
export async function checkPresent(
  instance: string,
  { plugins, settings }: Generation,
  configured: SettingsByInstance,
  schemas: Pick<VendorSchemas, 'complete'>,
): Promise<SettingsCheck> {
  const all = inForce(configured, settings)
  const own = Object.hasOwn(all, instance) ? all[instance] : undefined
  if (own?.package === undefined)
    throw new FogbowError('not_found', `There is no plugin '${instance.slice(0, 64)}' at this site`)
  const plugin = plugins.find(({ name }) => name === own.package)
  if (plugin) return checkInstance(plugin, [instance, own], schemas)
  const remedy = `install it with: fogbow plugin install ${own.package}`
  const message = `Plugin '${instance}' is made of ${own.package}, which is not installed; ${remedy}`
  throw new FogbowError('unacceptable_operation', message)
}

function problemOfSecrets(
  { name, manifest }: LockedPlugin,
  secrets: Readonly<Record<string, string>>,
): string | undefined {
  const asked = manifest.capabilities?.secrets ?? []
  const other = Object.keys(secrets).find((secret) => !asked.includes(secret))
  if (other === undefined) return undefined
  return `secrets.${other} is no secret of ${name}, which asks for ${asked.join(', ') || 'none'}`
}

async function problemOfConfig(
  { manifest }: LockedPlugin,
  config: object,
  schemas: Pick<VendorSchemas, 'complete'>,
): Promise<string | undefined> {
  const completion = await schemas.complete(manifest.config ?? { type: 'object' }, config)
  if ('settings' in completion) return undefined
  if ('schemaProblem' in completion) {
    const { key, message } = completion.schemaProblem
    return `its schema cannot be used: ${joinPath('fogbow.config', key)} ${message}`
  }
  const { key, message } = completion.settingsProblem
  return `${joinPath('config', key)} ${message}`
}

/** @returns no `known` when the schema does not list its keys */
function keysOf(schema: object | undefined): {
  required: string[]
  known?: string[]
  descriptions: [string, string][]
} {
  const { required: names, properties } = (schema ?? {}) as Record<string, unknown>
  const required = Array.isArray(names) ? names.filter((key) => typeof key === 'string') : []
  if (typeof properties !== 'object' || properties === null) return { required, descriptions: [] }
  const descriptions = Object.entries(properties).flatMap(([key, property]): [string, string][] => {
    const { description } = (property ?? {}) as { description?: unknown }
    return typeof description === 'string' ? [[key, description.slice(0, 255)]] : []
  })
  return { required, known: Object.keys(properties), descriptions }
}
