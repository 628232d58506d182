import { FogbowError } from '@fogbow/plugin-sdk'
import type { InstanceSettings } from '@fogbow/registry'

type Settings = Readonly<Record<string, InstanceSettings>>
type Fields = Record<string, unknown>

const groups = ['config', 'secrets', 'grants', 'limits'] as const

/**
 * What the configuration file says, completed with the settings that were made through the marketplace. The file goes
 * before them, key by key.
 * @param written - content of the configuration file, not checked yet; stays as it is
 */
export function withSettings(written: unknown, settings: Settings): unknown {
  if (!isFields(written) || Object.keys(settings).length === 0) return written
  const plugins = isFields(written.plugins) ? { ...written.plugins } : {}
  for (const [name, own] of Object.entries(settings)) {
    const file = Object.hasOwn(plugins, name) ? plugins[name] : {}
    if (!isFields(file)) continue
    plugins[name] = complete(file, own)
  }
  return { ...written, plugins }
}

function complete(file: Fields, own: InstanceSettings): Fields {
  const completed: Fields = { ...(own.package !== undefined && { package: own.package }), ...file }
  for (const group of groups) {
    const said = file[group]
    if (own[group] && (said === undefined || isFields(said)))
      completed[group] = { ...own[group], ...said }
  }
  return completed
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The settings after a change; null takes them all away. @throws not_found */
export function changedSettings(
  before: Settings,
  changes: Readonly<Record<string, InstanceSettings | null>>,
): Record<string, InstanceSettings> {
  const after: Record<string, InstanceSettings> = { ...before }
  for (const [name, settings] of Object.entries(changes)) {
    if (settings) after[name] = settings
    else if (Object.hasOwn(after, name)) delete after[name]
    else throw new FogbowError('not_found', `No settings of '${name}' were made here`)
  }
  return after
}
