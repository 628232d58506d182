import type { Clock } from '@fogbow/plugin-sdk'
import type { Session } from './api/session.ts'

/** What an account was told lately and that changes rarely, such as flavors. */
export interface Memory<Value> {
  get(session: Session, key: string, load: () => Promise<Value>): Promise<Value>
  forget(session: Session): void
}

interface Entry<Value> {
  value: Promise<Value>
  until: number
}

const MOST_ENTRIES = 1000

export function createMemory<Value>(clock: Clock, lifetimeMs: number): Memory<Value> {
  const accounts = new WeakMap<Session, Map<string, Entry<Value>>>()

  function entriesOf(session: Session): Map<string, Entry<Value>> {
    const known = accounts.get(session)
    if (known) return known
    const made = new Map<string, Entry<Value>>()
    accounts.set(session, made)
    return made
  }

  return {
    async get(session, key, load) {
      const entries = entriesOf(session)
      const known = entries.get(key)
      if (known && clock.now() < known.until) return known.value
      if (entries.size >= MOST_ENTRIES) entries.clear()
      const value = load()
      entries.set(key, { value, until: clock.now() + lifetimeMs })
      // What could not be loaded is asked for again.
      value.catch(() => entries.delete(key))
      return value
    },
    forget: (session) => {
      accounts.delete(session)
    },
  }
}
