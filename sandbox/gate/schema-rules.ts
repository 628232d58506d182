import { joinPath } from '@fogbow/plugin-sdk/validate'
import { hasBackReference, hasNestedQuantifier } from './schema-pattern.ts'

/** What is wrong with a vendor's schema or with what it is to describe, and at which key. */
export interface SchemaProblem {
  key: string
  message: string
}

const MAX_LENGTH = 64 * 1024
const MAX_DEPTH = 32
const MAX_SUBSCHEMAS = 1000
const MAX_PATTERN = 256
const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/** What each keyword holds; all others are refused. */
const schemaMaps = new Set(['properties', 'patternProperties', '$defs', 'dependentSchemas'])
const schemaLists = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const schemas = new Set([
  ...['items', 'contains', 'additionalProperties', 'propertyNames', 'unevaluatedProperties'],
  ...['unevaluatedItems', 'not', 'if', 'then', 'else'],
])
const data = new Set([
  ...['$schema', '$ref', '$comment', 'title', 'description', 'default', 'examples', 'deprecated'],
  ...['readOnly', 'writeOnly', 'type', 'enum', 'const', 'format', 'pattern', 'minLength'],
  ...['maxLength', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  ...['minItems', 'maxItems', 'uniqueItems', 'minContains', 'maxContains', 'minProperties'],
  ...['maxProperties', 'required', 'dependentRequired'],
])
/** Most entries of one list or object. */
const most: Readonly<Record<string, number>> = { properties: 256, enum: 512, default: 512 }
const MOST_ENTRIES = 64

/** Names that reach the prototype of whatever they are assigned to. */
const unsafeNames = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Checks the configuration schema of a plugin before anything is compiled from it: it comes from a stranger, and a
 * schema can fetch, recurse, grow or match without end.
 */
export function schemaProblem(text: string): SchemaProblem | undefined {
  if (text.length > MAX_LENGTH)
    return { key: '', message: `is longer than ${MAX_LENGTH} characters` }
  const schema: unknown = JSON.parse(text)
  if (!isObject(schema) || schema.type !== 'object')
    return { key: 'type', message: "must be 'object'" }
  const seen = { subschemas: 0 }
  return dataProblem(schema, '', 0) ?? subschemaProblem(schema, '', seen)
}

/** What no text that became an object may hold, whoever wrote it. */
export function dataProblem(
  value: unknown,
  path: string,
  depth: number,
): SchemaProblem | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (depth > MAX_DEPTH) return { key: path, message: `is nested deeper than ${MAX_DEPTH} levels` }
  for (const [key, part] of Object.entries(value)) {
    const at = pathOf(value, path, key)
    if (unsafeNames.has(key)) return { key: at, message: 'is not an allowed name' }
    const problem = dataProblem(part, at, depth + 1)
    if (problem) return problem
  }
  return undefined
}

function subschemaProblem(
  schema: unknown,
  path: string,
  seen: { subschemas: number },
): SchemaProblem | undefined {
  if (!isObject(schema)) return undefined
  if (++seen.subschemas > MAX_SUBSCHEMAS)
    return { key: path, message: `is one of more than ${MAX_SUBSCHEMAS} subschemas` }
  for (const [keyword, value] of Object.entries(schema)) {
    const at = joinPath(path, keyword)
    const message = keywordProblem(keyword, value)
    if (message) return { key: at, message }
    for (const [key, part] of subschemasOf(keyword, value)) {
      const problem = subschemaProblem(part, key === '' ? at : pathOf(value, at, key), seen)
      if (problem) return problem
    }
  }
  return undefined
}

function subschemasOf(keyword: string, value: unknown): [string, unknown][] {
  if (schemas.has(keyword)) return [['', value]]
  return (schemaMaps.has(keyword) || schemaLists.has(keyword)) && isAnyObject(value)
    ? Object.entries(value)
    : []
}

function keywordProblem(keyword: string, value: unknown): string | undefined {
  const known = [schemaMaps, schemaLists, schemas, data].some((names) => names.has(keyword))
  if (!known) return 'is no keyword that the configuration of a plugin may use'
  const limit = most[keyword] ?? MOST_ENTRIES
  if (isAnyObject(value) && !schemas.has(keyword) && Object.keys(value).length > limit)
    return `has more than ${limit} entries`
  switch (keyword) {
    case '$schema':
      return value === DIALECT ? undefined : `must be ${DIALECT}`
    case '$ref':
      return typeof value === 'string' && /^#(\/|$)/.test(value)
        ? undefined
        : `'${String(value).slice(0, 64)}' points outside the schema; only '#/…' is allowed`
    case 'pattern':
      return patternProblem(value)
    case 'patternProperties':
      return Object.keys(value ?? {})
        .map(patternProblem)
        .find(Boolean)
    default:
      return undefined
  }
}

function patternProblem(pattern: unknown): string | undefined {
  if (typeof pattern !== 'string') return 'must be a text'
  if (pattern.length > MAX_PATTERN) return `is longer than ${MAX_PATTERN} characters`
  const shown = `'${pattern.slice(0, 64)}'`
  if (hasNestedQuantifier(pattern))
    return `${shown} repeats a group that repeats something itself, which can take for ever`
  if (hasBackReference(pattern)) return `${shown} refers back to a group, which can take for ever`
  return undefined
}

function pathOf(parent: unknown, path: string, key: string): string {
  return Array.isArray(parent) ? `${path}[${key}]` : joinPath(path, key)
}

function isAnyObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return isAnyObject(value) && !Array.isArray(value)
}
