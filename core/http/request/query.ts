import { invalid, readLeniently, type Schema } from '@fogbow/plugin-sdk'
import { assertValid } from '@fogbow/plugin-sdk/validate'
import { isPercentEncoded } from '../router.ts'
import type { Route } from '../routes/route.ts'

const schemas = new WeakMap<object, Schema>()

/**
 * The query of a request as its route declares it; a list may be given by commas or by repeating the name.
 * @throws invalid_parameter naming the parameter
 */
export function parseQuery(
  declared: NonNullable<Route['query']>,
  text: string,
): Record<string, unknown> {
  if (text === '') return {}
  if (!isPercentEncoded(text)) throw invalid('query', 'is not percent-encoded rightly')
  const given: Record<string, unknown> = {}
  for (const [name, value] of new URLSearchParams(text)) {
    const field = Object.hasOwn(declared.properties, name) && declared.properties[name]
    if (!field) {
      const known = Object.keys(declared.properties).join(', ')
      throw invalid(name.slice(0, 100), `is not a query parameter of this path; it takes ${known}`)
    }
    if (field.type === 'array') {
      given[name] = [...((given[name] as string[]) ?? []), ...value.split(',')]
    } else if (name in given) {
      throw invalid(name, 'is given twice')
    } else {
      given[name] = value
    }
  }
  const schema = schemaOf(declared)
  const query = readLeniently(schema, given)
  assertValid(schema, query, '')
  return query as Record<string, unknown>
}

function schemaOf(declared: NonNullable<Route['query']>): Schema {
  let schema = schemas.get(declared)
  if (!schema) {
    schema = { type: 'object', additionalProperties: false, ...declared } as Schema
    schemas.set(declared, schema)
  }
  return schema
}
