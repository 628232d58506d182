import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Option } from 'commander'
import { usage } from './exit.ts'
import { readUserData } from './user-data.ts'

/** The part of a JSON schema that options are made from. */
interface PropertySchema {
  type?: string
  description?: string
  enum?: readonly string[]
  default?: unknown
  minimum?: number
  maximum?: number
  maxLength?: number
  items?: PropertySchema
}

interface RequestSchema {
  properties: Record<string, PropertySchema>
  required?: readonly string[]
}

/** The options of one property of a request: the one that is shown, and others that mean the same. */
export interface PropertyOption {
  property: string
  /** Such as `--vcpu`; what messages call the property. */
  flag: string
  description: string
  options: readonly Option[]
  /** Takes the value out of what was typed; undefined when the property was not given. */
  read(typed: Record<string, unknown>): Promise<unknown>
}

/** Properties that people call otherwise: property → name of the option. */
const synonyms: Record<string, string> = { cloudName: 'cloud' }

/** Properties whose value is easier to give than as JSON. */
const readers: Record<string, { placeholder: string; read: (text: string) => Promise<unknown> }> = {
  userData: { placeholder: 'file[:type]', read: readUserData },
}

/** Texts longer than this are usually kept in files. */
const LONG_TEXT = 4096

/**
 * Options for all properties of a request. Names follow one rule: `camelCase` → `kebab-case`, references lose their
 * `Id`, what can be given several times is in the singular: `vCPU` → `--vcpu`, `networkIds` → `--network`.
 * @param aliases - other names of properties, accepted but not shown
 */
export function optionsOf(schema: object, aliases: Record<string, string> = {}): PropertyOption[] {
  const { properties, required = [] } = schema as RequestSchema
  return Object.entries(properties).map(([property, definition]) => {
    const others = Object.keys(aliases).filter((alias) => aliases[alias] === property)
    return toPropertyOption(property, definition, required.includes(property), others)
  })
}

/** The request that was typed. Values are still to be validated. */
export async function readRequest(
  propertyOptions: readonly PropertyOption[],
  typed: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const request: Record<string, unknown> = {}
  for (const { property, read } of propertyOptions) {
    const value = await read(typed)
    if (value !== undefined) request[property] = value
  }
  return request
}

/** @throws usage error that names the option */
export async function assertRequest(
  schema: object,
  propertyOptions: readonly PropertyOption[],
  request: Record<string, unknown>,
): Promise<void> {
  const { validatorFor } = await import('@fogbow/plugin-sdk/validate')
  const problem = validatorFor(schema)(request)
  if (!problem) return
  const option = propertyOptions.find(({ property }) => problem.field.split(/[.[]/)[0] === property)
  if (option && problem.message.startsWith('must match pattern'))
    throw usage(`${option.flag}: '${request[option.property]}' is not allowed`, option.description)
  throw usage(`${option?.flag ?? problem.field} ${problem.message}`)
}

export function toKebabCase(name: string): string {
  return name.replace(/(?<=.)([A-Z])(?=[a-z])/g, '-$1').toLowerCase()
}

function toPropertyOption(
  property: string,
  schema: PropertySchema,
  required: boolean,
  aliases: string[],
): PropertyOption {
  const name = optionName(property, schema)
  const description = describe(property, schema, required)
  const main = typedOption(`--${name} <${placeholderOf(property, schema)}>`, description, schema)
  const fromFile = new Option(`--${name}-file <path>`, `${toWords(property)}, read from a file`)
  const hasFile = schema.type === 'string' && (schema.maxLength ?? 0) > LONG_TEXT
  const others = [toKebabCase(property), ...aliases.map(toKebabCase)]
    .filter((other) => other !== name)
    .map((other) => typedOption(`--${other} <value>`, description, schema).hideHelp())

  return {
    property,
    flag: `--${name}`,
    description,
    options: [main, ...(hasFile ? [fromFile] : []), ...others],
    async read(typed) {
      const path = hasFile ? typed[fromFile.attributeName()] : undefined
      if (typeof path === 'string') return (await readTextFile(`--${name}-file`, path)).trimEnd()
      const given = [main, ...others].map((option) => typed[option.attributeName()])
      const value = given.find((item) => item !== undefined)
      return value === undefined ? undefined : readValue(`--${name}`, property, schema, value)
    },
  }
}

function optionName(property: string, schema: PropertySchema): string {
  const name = toKebabCase(synonyms[property] ?? property).replace(/(?<=.)-ids?$/, '')
  return isRepeatable(schema) ? name.replace(/s$/, '') : name
}

function isRepeatable(schema: PropertySchema): boolean {
  return schema.type === 'array' || schema.type === 'object'
}

function typedOption(flags: string, description: string, schema: PropertySchema): Option {
  const option = new Option(flags, description)
  // Only for the help and the completion: what is allowed is the validator's to say, in any case of letters.
  if (schema.enum) option.choices([...schema.enum])
  return isRepeatable(schema) ? option.argParser(collect) : option.argParser((text) => text)
}

/** For options that can be given several times. */
export function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text]
}

function placeholderOf(property: string, schema: PropertySchema): string {
  if (readers[property]) return readers[property].placeholder
  if (schema.type === 'object') return 'key=value'
  if (schema.type === 'integer') return 'number'
  return /Ids?$/.test(property) ? 'id' : 'text'
}

function describe(property: string, schema: PropertySchema, required: boolean): string {
  const notes: string[] = []
  if (required) notes.push('required')
  if (schema.type === 'integer' && schema.maximum !== undefined)
    notes.push(`${schema.minimum ?? 0} to ${schema.maximum}`)
  if (isRepeatable(schema)) notes.push('repeatable')
  if (schema.default !== undefined && !isRepeatable(schema)) notes.push(`default ${schema.default}`)
  const text = schema.description ?? toWords(property)
  return notes.length > 0 ? `${text} (${notes.join(', ')})` : text
}

function toWords(property: string): string {
  const words = toKebabCase(property).replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

async function readValue(
  flag: string,
  property: string,
  schema: PropertySchema,
  typed: unknown,
): Promise<unknown> {
  if (Array.isArray(typed)) {
    if (schema.type === 'object') return readPairs(flag, typed)
    const readItem = readers[property]?.read ?? ((text: string) => readJsonItem(flag, schema, text))
    return Promise.all(typed.map((text) => readItem(text)))
  }
  const text = String(typed)
  if (schema.type === 'integer') return readInteger(flag, schema, text)
  return schema.enum?.find((value) => value.toLowerCase() === text.toLowerCase()) ?? text
}

function readInteger(flag: string, schema: PropertySchema, text: string): number {
  const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = schema
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  if (number >= minimum && number <= maximum) return number
  throw usage(`${flag}: '${text}' is not a whole number from ${minimum} to ${maximum}`)
}

async function readJsonItem(flag: string, schema: PropertySchema, text: string): Promise<unknown> {
  if (schema.items?.type !== 'object') return text
  try {
    return JSON.parse(text)
  } catch {
    throw usage(`${flag}: '${text}' is not JSON`)
  }
}

/** `['a=1', 'b=2']` → `{a: '1', b: '2'}`; a key given twice keeps the last value. */
export function readPairs(flag: string, pairs: readonly string[]): Record<string, string> {
  const entries = pairs.map((pair) => {
    const at = pair.indexOf('=')
    if (at < 1) throw usage(`${flag}: '${pair}' is not of the form key=value`)
    return [pair.slice(0, at), pair.slice(at + 1)] as const
  })
  return Object.fromEntries(entries)
}

export async function readTextFile(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? cause.code : cause
    throw usage(`${flag}: ${basename(path)} cannot be read (${why}): ${path}`)
  }
}
