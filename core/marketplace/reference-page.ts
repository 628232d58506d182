import { contracts } from '@fogbow/plugin-sdk'
import type { LockedPlugin } from '@fogbow/registry'

interface Property {
  type?: unknown
  description?: unknown
  default?: unknown
  enum?: unknown
}

/** What one plugin offers, reaches and can be configured with, in Markdown; made from its manifest alone. */
export function referencePage(instance: string, plugin: LockedPlugin): string {
  const { manifest, trust } = plugin
  const { network = [], secrets = [], storage = false } = manifest.capabilities ?? {}
  return [
    `# ${plugin.name} ${plugin.version}`,
    cell(plugin.description),
    `Runs at this site as \`${cell(instance)}\`; licence ${cell(plugin.license)}; trusted as \`${trust.level}\`${trust.publisher ? `, published by ${cell(trust.publisher)}` : ''}.`,
    '## Offers',
    table(['kind', 'methods'], manifest.kinds.map(kindRow)),
    '## Configuration',
    configuration(manifest.config, instance),
    '## Reaches',
    table(
      ['what', 'which'],
      [
        ['network', list(network)],
        ['secrets', list(secrets)],
        ['storage', storage ? 'keeps data of its own' : 'none'],
      ],
    ),
    '## Made of',
    plugin.components.length === 0
      ? 'Nothing but itself.'
      : table(
          ['package', 'version', 'licence'],
          plugin.components.map(({ name, version, license }) => [name, version, license]),
        ),
  ]
    .filter(Boolean)
    .join('\n\n')
    .concat('\n')
}

function kindRow(kind: string): string[] {
  const { methods = {} } = contracts[kind] ?? {}
  const names = Object.entries(methods).map(([name, { optional }]) =>
    optional ? `${name} (optional)` : name,
  )
  return [kind, names.join(', ')]
}

function configuration(schema: object | undefined, instance: string): string {
  const { properties, required } = (schema ?? {}) as { properties?: object; required?: unknown }
  const entries = Object.entries(properties ?? {}) as [string, Property][]
  if (entries.length === 0) return 'It has no settings.'
  const isRequired = (key: string) => Array.isArray(required) && required.includes(key)
  const rows = entries.map(([key, property]) => [
    `plugins.${instance}.config.${key}`,
    isRequired(key) ? 'yes' : 'no',
    typeOf(property),
    property.default === undefined ? '' : JSON.stringify(property.default),
    String(property.description ?? ''),
  ])
  return table(['key', 'required', 'type', 'default', 'meaning'], rows)
}

function typeOf({ type, enum: values }: Property): string {
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' or ')
  return Array.isArray(type) ? type.join(' or ') : String(type ?? 'any')
}

function list(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.join(', ')
}

function table(head: string[], rows: string[][]): string {
  const lines = [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** A vendor's text must not break out of its cell, or become markup. */
function cell(text: string): string {
  return line(text).replace(/[|<>`\\]/g, (character) => `\\${character}`)
}

function line(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
