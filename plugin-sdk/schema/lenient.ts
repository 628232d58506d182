import type { Schema } from './json-schema.ts'

interface SchemaNode {
  type?: string | readonly string[]
  properties?: Record<string, SchemaNode>
  additionalProperties?: boolean | SchemaNode
  items?: SchemaNode
  enum?: readonly unknown[]
  default?: unknown
}

/**
 * Reads what older clients send as the canonical shape of a schema, so that validation sees one form only:
 * unknown keys are dropped, `null` counts as absent, defaults are filled in, numeric strings become integers, decimals
 * are truncated, numbers and booleans become text where text is expected, and enum values match in any case.
 * What cannot be read that way is left as it is, for the validator to name.
 * (The original service reads JSON with these rules; see its REST interface.)
 */
export function readLeniently(
  schema: Schema,
  value: unknown,
  aliases: Record<string, string> = {},
): unknown {
  return read(schema as SchemaNode, value, aliases)
}

function read(node: SchemaNode, value: unknown, aliases: Record<string, string>): unknown {
  if (value === null || value === undefined) return node.default
  const type = typeof node.type === 'string' ? node.type : node.type?.[0]
  switch (type) {
    case 'object':
      return isRecord(value) ? readObject(node, value, aliases) : value
    case 'array':
      return Array.isArray(value) ? value.map((item) => read(node.items ?? {}, item, {})) : value
    case 'integer':
      return readInteger(value, node.default)
    case 'string':
      return readText(node, value)
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value
    default:
      return value
  }
}

function readObject(
  node: SchemaNode,
  value: Record<string, unknown>,
  aliases: Record<string, string>,
): Record<string, unknown> {
  const source: Record<string, unknown> = { ...value }
  for (const [alias, name] of Object.entries(aliases)) {
    if (source[name] === undefined && source[alias] !== undefined) source[name] = source[alias]
  }
  const result: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(node.properties ?? {})) {
    const field = read(property, Object.hasOwn(source, name) ? source[name] : undefined, {})
    if (field !== undefined) result[name] = field
  }
  if (node.additionalProperties && node.additionalProperties !== true) {
    for (const [name, field] of Object.entries(source)) {
      if (isSafeKey(name)) result[name] = read(node.additionalProperties, field, {})
    }
  }
  return result
}

function readInteger(value: unknown, absent: unknown): unknown {
  if (value === '') return absent ?? 0
  if (typeof value === 'string' && /^\s*[+-]?\d+(\.\d*)?\s*$/.test(value))
    return Math.trunc(Number(value))
  return typeof value === 'number' && Number.isFinite(value) ? Math.trunc(value) : value
}

function readText(node: SchemaNode, value: unknown): unknown {
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
  if (!node.enum || typeof text !== 'string') return text
  return node.enum.find((option) => String(option).toLowerCase() === text.toLowerCase()) ?? text
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSafeKey(name: string): boolean {
  return name !== '__proto__' && name !== 'constructor' && name !== 'prototype'
}
