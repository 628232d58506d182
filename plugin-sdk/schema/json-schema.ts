import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

/** JSON Schema (2020-12 vocabulary as far as draft 7 has it), written as a constant so that its type can be derived. */
export type Schema = JSONSchema & object

/** The TypeScript type described by a schema constant. */
export type TypeOf<S extends Schema> = FromSchema<S>

/** Keeps the literal type of a schema without `as const` at each use. */
export function schema<const S extends Schema>(definition: S): S {
  return definition
}

export interface ObjectSchema {
  type: 'object'
  properties: Record<string, Schema>
  required?: readonly string[]
  additionalProperties?: boolean | Schema
  description?: string
}
