/** A small cache whose entries end by themselves; never holds more than `most`. */
export interface ExpiringCache<Value> {
  get(key: string): Value | undefined
  /** @param until - ms since the epoch */
  set(key: string, value: Value, until: number): void
  delete(key: string): void
  clear(): void
}

export function createExpiringCache<Value>(most: number, now: () => number): ExpiringCache<Value> {
  const entries = new Map<string, { value: Value; until: number }>()
  return {
    get(key) {
      const entry = entries.get(key)
      if (!entry) return undefined
      if (entry.until > now()) return entry.value
      entries.delete(key)
      return undefined
    },
    set(key, value, until) {
      if (until <= now()) return
      if (entries.size >= most) entries.delete(entries.keys().next().value as string)
      entries.set(key, { value, until })
    },
    delete: (key) => void entries.delete(key),
    clear: () => entries.clear(),
  }
}
