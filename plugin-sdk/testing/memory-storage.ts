import type { Storage, StorageChange } from '../host.ts'

/** Entries of a `MemoryStorage` as JSON text, by key. Give the same map to a second host to emulate a restart. */
export type StoredText = Map<string, string>

const MAX_VALUE = 1048576

/** Storage as a site keeps it, in memory: values are copied as JSON on the way in and on the way out. */
export function createMemoryStorage(entries: StoredText = new Map()): Storage {
  const apply = ({ key, value }: StorageChange) => {
    if (value === undefined) entries.delete(key)
    else entries.set(key, toText(key, value))
  }
  return {
    async get(key) {
      const text = entries.get(key)
      return text === undefined ? undefined : JSON.parse(text)
    },
    async set(key, value) {
      entries.set(key, toText(key, value))
    },
    async delete(key) {
      entries.delete(key)
    },
    async list(prefix, { after = '', limit = Number.POSITIVE_INFINITY } = {}) {
      const keys = [...entries.keys()].filter((key) => key.startsWith(prefix) && key > after)
      return keys
        .sort((left, right) => (left < right ? -1 : 1))
        .slice(0, limit)
        .map((key) => ({ key, value: JSON.parse(entries.get(key) ?? 'null') }))
    },
    async write(changes) {
      for (const { key, value } of changes) if (value !== undefined) toText(key, value)
      for (const change of changes) apply(change)
    },
  }
}

function toText(key: string, value: unknown): string {
  const text = JSON.stringify(value)
  if (text === undefined) throw new TypeError(`storage: the value of '${key}' is not JSON`)
  if (text.length > MAX_VALUE) throw new RangeError(`storage: the value of '${key}' exceeds 1 MiB`)
  return text
}
