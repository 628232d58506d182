import { Ajv2020, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { type FogbowError, invalid } from '../errors.ts'
import type { Schema } from './json-schema.ts'
import { quickTextLength } from './text-length.ts'

// Compiling is on the path of every start; the schemas themselves are checked by tests, those of plugins when they are installed.
const options = {
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  validateSchema: false,
  code: { optimize: false },
} as const
const checking = withFormats(new Ajv2020(options))
const completing = withFormats(new Ajv2020({ ...options, useDefaults: true }))

function withFormats(ajv: Ajv2020): Ajv2020 {
  ajv.addFormat('uuid', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)
  ajv.addFormat('date-time', (text: string) => !Number.isNaN(Date.parse(text)))
  ajv.addFormat('uri', (text: string) => URL.canParse(text))
  return quickTextLength(ajv)
}

/** Says what is wrong with a value, or undefined when it is right. */
export type Validator = (value: unknown) => Problem | undefined

export interface Problem {
  /** Path of the field, such as `userData[0].tag`; empty for the value itself. */
  field: string
  /** What is wrong and what is expected, without the field. */
  message: string
}

const checkers = new WeakMap<Schema, Validator>()
const completers = new WeakMap<Schema, Validator>()

/** Compiles once per schema object. Only for schemas of our own: a stranger's schema can hang the compiler. */
export function validatorFor(schema: Schema): Validator {
  return compiled(schema, checkers, checking)
}

/** As `validatorFor`, and fills in the defaults of absent fields in place. */
export function completerFor(schema: Schema): Validator {
  return compiled(schema, completers, completing)
}

function compiled(schema: Schema, known: WeakMap<Schema, Validator>, ajv: Ajv2020): Validator {
  let validator = known.get(schema)
  if (!validator) {
    const check: ValidateFunction = ajv.compile(schema as AnySchema)
    validator = (value) => (check(value) ? undefined : toProblem(check.errors?.[0]))
    known.set(schema, validator)
  }
  return validator
}

/** @throws invalid_parameter naming `root` and the field */
export function assertValid(schema: Schema, value: unknown, root: string): void {
  const problem = validatorFor(schema)(value)
  if (problem) throw problemError(root, problem)
}

export function problemError(root: string, problem: Problem): FogbowError {
  return invalid(joinPath(root, problem.field), problem.message)
}

export function joinPath(root: string, field: string): string {
  if (!root || !field) return root || field
  return field.startsWith('[') ? root + field : `${root}.${field}`
}

function toProblem(error: ErrorObject | undefined): Problem {
  if (!error) return { field: '', message: 'is not valid' }
  const path = toFieldPath(error.instancePath)
  switch (error.keyword) {
    case 'required':
      return { field: joinPath(path, error.params.missingProperty), message: 'is required' }
    case 'additionalProperties':
      return {
        field: joinPath(path, error.params.additionalProperty),
        message: 'is not a known key',
      }
    case 'enum':
      return { field: path, message: `must be one of ${error.params.allowedValues.join(', ')}` }
    case 'const':
      return { field: path, message: `must be ${JSON.stringify(error.params.allowedValue)}` }
    case 'type':
      return { field: path, message: `must be ${[error.params.type].flat().join(' or ')}` }
    case 'propertyNames':
      return { field: joinPath(path, error.params.propertyName), message: 'is not an allowed name' }
    default:
      return { field: path, message: error.message ?? 'is not valid' }
  }
}

function toFieldPath(pointer: string): string {
  let path = ''
  for (const raw of pointer.split('/').slice(1)) {
    const part = raw.replaceAll('~1', '/').replaceAll('~0', '~')
    path = /^\d+$/.test(part) ? `${path}[${part}]` : joinPath(path, part)
  }
  return path
}
