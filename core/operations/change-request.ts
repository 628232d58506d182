import { invalid } from '@fogbow/plugin-sdk'
import type { ChangeRequest, InstanceSettings } from '@fogbow/registry'
import { toBody } from './request.ts'

/** Reads what is to be planned. @throws invalid_parameter naming the field */
export function toChangeRequest(body: unknown): { request: ChangeRequest; reason?: string } {
  const fields = toBody(body)
  const { reason } = fields
  if (
    reason !== undefined &&
    reason !== null &&
    (typeof reason !== 'string' || reason.length > 1024)
  )
    throw invalid('reason', 'must be a text of at most 1024 characters')
  return { request: toRequest(fields), ...(reason ? { reason } : {}) }
}

function toRequest(fields: Record<string, unknown>): ChangeRequest {
  const { action } = fields
  switch (action) {
    case 'install': {
      const registry = optional(fields, 'registry')
      return {
        action,
        source: text(fields, 'source'),
        ...(registry !== undefined && { registry }),
        ...toSettingsOfInstances(fields.settings),
      }
    }
    case 'upgrade': {
      const name = optional(fields, 'package')
      return {
        action,
        ...(name !== undefined && { package: name }),
        ...toSettingsOfInstances(fields.settings),
      }
    }
    case 'remove':
      return { action, package: text(fields, 'package') }
    case 'rollback':
      return { action, generation: toGeneration(fields.generation) }
    case 'configure':
      return { action, instance: text(fields, 'instance'), settings: toSettings(fields.settings) }
    default:
      throw invalid('action', 'must be install, upgrade, remove, rollback or configure')
  }
}

function text(fields: Record<string, unknown>, name: string): string {
  const value = optional(fields, name)
  if (value) return value
  throw invalid(name, 'is required')
}

function optional(fields: Record<string, unknown>, name: string): string | undefined {
  const value = fields[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value.length <= 2048) return value
  throw invalid(name, 'must be a text')
}

function toGeneration(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number
  throw invalid('generation', 'must be the number of a generation')
}

/** Settings that change together with the version, by plugin instance. */
function toSettingsOfInstances(value: unknown): { settings?: Record<string, InstanceSettings> } {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalid('settings', 'must be an object of settings by plugin instance')
  const entries = Object.entries(value).map(([instance, own]): [string, InstanceSettings] => {
    const settings = toSettings(own)
    if (settings) return [instance, settings]
    throw invalid(`settings.${instance}`, 'must be an object')
  })
  return { settings: Object.fromEntries(entries) }
}

const groups = ['config', 'secrets', 'grants', 'limits'] as const

function toSettings(value: unknown): InstanceSettings | null {
  if (value === null) return null
  if (typeof value !== 'object' || value === undefined || Array.isArray(value))
    throw invalid('settings', 'must be an object, or null to take all of them away')
  const settings = value as Record<string, unknown>
  const unknown = Object.keys(settings).find(
    (key) => key !== 'package' && !groups.some((group) => group === key),
  )
  if (unknown !== undefined) throw invalid(`settings.${unknown}`, 'is not a known key')
  for (const group of groups) {
    const part = settings[group]
    if (part !== undefined && (typeof part !== 'object' || part === null || Array.isArray(part)))
      throw invalid(`settings.${group}`, 'must be an object')
  }
  if (settings.package !== undefined && typeof settings.package !== 'string')
    throw invalid('settings.package', 'must be the name of a package')
  return settings
}
