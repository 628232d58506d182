import { invalid } from '@fogbow/plugin-sdk'
import { asRecord, type FieldMapping, type Form, readFields, writeFields } from './fields.ts'

const unchanged = (value: unknown) => value

export const text: Form = {
  write: unchanged,
  read(value, at) {
    if (typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    throw invalid(at, 'must be text')
  },
}

/** Some writers there make decimals of integers, and texts of either. */
export const integer: Form = {
  write: unchanged,
  read(value, at) {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    if (typeof number === 'number' && Number.isSafeInteger(Math.trunc(number)))
      return Math.trunc(number)
    throw invalid(at, 'must be an integer')
  },
}

export const flag: Form = {
  write: unchanged,
  read: (value) => value === true || value === 'true',
}

/**
 * A constant; unknown ones read as absent, as they do there.
 * @param names - ours, as the schemas have them
 * @param theirs - in the same order; the same names when left out
 */
export function oneOf(names: readonly string[], theirs: readonly string[] = names): Form {
  return {
    write: (value) => theirs[names.indexOf(String(value))],
    read: (value) => names[theirs.indexOf(String(value))],
  }
}

export function listOf(item: Form): Form {
  return {
    write: (value) => (value as unknown[]).map(item.write),
    read(value, at) {
      if (!Array.isArray(value)) throw invalid(at, 'must be a list')
      const all: unknown[] = value
      return all
        .map((entry, n) => (entry === null ? undefined : item.read(entry, `${at}[${n}]`)))
        .filter((entry) => entry !== undefined)
    },
  }
}

export function objectOf(mappings: readonly FieldMapping[]): Form {
  return {
    write: (value) => writeFields(mappings, value as Record<string, unknown>),
    read: (value, at) => readFields(mappings, value, at),
  }
}

/** Texts by names of the user's choice. */
export const words: Form = {
  write: unchanged,
  read(value, at) {
    const entries = Object.entries(asRecord(value, at))
      .filter(([name, entry]) => entry !== null && name !== '__proto__')
      .map(([name, entry]) => [name, text.read(entry, `${at}.${name}`)])
    return Object.fromEntries(entries)
  },
}
