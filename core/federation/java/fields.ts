import { invalid } from '@fogbow/plugin-sdk'

export type Fields = Readonly<Record<string, unknown>>

/** How a value is written there and read from there; what is absent or null is neither written nor read. */
export interface Form {
  write(value: unknown): unknown
  /** @throws invalid_parameter naming the field; @returns undefined for what is to be left out */
  read(value: unknown, at: string): unknown
}

export interface FieldMapping {
  readonly ours: string
  readonly theirs: string
  readonly form: Form
  /** Written when we have none: some readers there cannot do without. */
  readonly orElse?: unknown
}

export function field(ours: string, theirs: string, form: Form, orElse?: unknown): FieldMapping {
  return { ours, theirs, form, orElse }
}

/** Of the same name on both sides. */
export function same(name: string, form: Form, orElse?: unknown): FieldMapping {
  return field(name, name, form, orElse)
}

/** @returns their fields in the order of the mappings */
export function writeFields(
  mappings: readonly FieldMapping[],
  ours: Fields,
): Record<string, unknown> {
  const theirs: Record<string, unknown> = {}
  for (const mapping of mappings) {
    const value = ours[mapping.ours]
    const written = isAbsent(value) ? mapping.orElse : mapping.form.write(value)
    if (written !== undefined) theirs[mapping.theirs] = written
  }
  return theirs
}

/** Reads the fields named; others are ignored. @throws invalid_parameter */
export function readFields(
  mappings: readonly FieldMapping[],
  theirs: unknown,
  at: string,
): Record<string, unknown> {
  const source = asRecord(theirs, at)
  const ours: Record<string, unknown> = {}
  for (const mapping of mappings) {
    const value = Object.hasOwn(source, mapping.theirs) ? source[mapping.theirs] : undefined
    if (isAbsent(value)) continue
    const read = mapping.form.read(value, `${at}.${mapping.theirs}`)
    if (read !== undefined) ours[mapping.ours] = read
  }
  return ours
}

/** @throws invalid_parameter */
export function asRecord(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw invalid(at, 'must be an object')
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}
