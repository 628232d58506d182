import { joinPath, validatorFor } from '@fogbow/plugin-sdk/validate'
import { hasNestedQuantifier } from './pattern.ts'

/** What is wrong with a vendor's schema, and at which key of it. */
export interface SchemaProblem {
  key: string
  message: string
}

const MAX_BYTES = 64 * 1024
const MAX_DEPTH = 32
const MAX_PATTERN = 256
const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/**
 * Checks the configuration schema of a plugin before anything is compiled from it: it comes from a stranger, and a
 * schema can fetch, recurse or match without end.
 */
export function configSchemaProblem(config: object): SchemaProblem | undefined {
  if (!('type' in config) || config.type !== 'object') {
    return { key: 'type', message: "must be 'object'" }
  }
  if (JSON.stringify(config).length > MAX_BYTES) {
    return { key: '', message: `is longer than ${MAX_BYTES} characters` }
  }
  return partProblem(config, '', 0) ?? compileProblem(config)
}

function partProblem(part: unknown, path: string, depth: number): SchemaProblem | undefined {
  if (typeof part !== 'object' || part === null) return undefined
  if (depth > MAX_DEPTH) return { key: path, message: `is nested deeper than ${MAX_DEPTH} levels` }
  for (const [key, value] of Object.entries(part)) {
    const at = Array.isArray(part) ? `${path}[${key}]` : joinPath(path, key)
    const message = keywordProblem(key, value)
    if (message) return { key: at, message }
    const problem = partProblem(value, at, depth + 1)
    if (problem) return problem
  }
  return undefined
}

/** Also hits properties that are called like a keyword, but those hold a schema, not a text. */
function keywordProblem(key: string, value: unknown): string | undefined {
  switch (key) {
    case '$schema':
      return value === DIALECT ? undefined : `must be ${DIALECT}`
    case '$id':
      return typeof value === 'string' ? 'is not allowed; the schema stands for itself' : undefined
    case '$ref':
    case '$dynamicRef':
    case '$recursiveRef':
      return typeof value !== 'string' || value.startsWith('#')
        ? undefined
        : `'${value.slice(0, 64)}' points outside the schema; only '#…' is allowed`
    case 'pattern':
      return typeof value === 'string' ? patternProblem(value) : undefined
    case 'patternProperties':
      return Object.keys(value ?? {})
        .map(patternProblem)
        .find(Boolean)
    default:
      return undefined
  }
}

function patternProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN) return `is longer than ${MAX_PATTERN} characters`
  if (hasNestedQuantifier(pattern)) {
    return `'${pattern.slice(0, 64)}' repeats a group that repeats something itself, which can take for ever`
  }
  return undefined
}

function compileProblem(config: object): SchemaProblem | undefined {
  try {
    validatorFor(config)
    return undefined
  } catch (error) {
    return { key: '', message: `is no usable JSON Schema: ${(error as Error).message}` }
  }
}
