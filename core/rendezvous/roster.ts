/** A member of which something was heard. Never changed: a later sign of life makes a new one. */
export interface RosterEntry {
  /** JID */
  readonly id: string
  /** ms since the epoch */
  readonly lastHeardAt: number
  /** After so long without a sign of life it expires. */
  readonly timeoutMs: number
  /** The neighbour that told of it; absent when it spoke for itself. */
  readonly via?: string
  /** For those who know no signatures. */
  readonly certificate?: string
  /** What it signed itself, and when by its own clock. */
  readonly heartbeat?: string
  readonly madeAt?: number
}

/** The members, as far as they are alive. */
export interface Roster {
  /** Those that have not expired, in the order of their names (plain order of characters). */
  alive(): readonly RosterEntry[]
  find(id: string): RosterEntry | undefined
  readonly size: number
  /** The newer of what is known and this stays. @returns whether this is it */
  put(entry: RosterEntry): boolean
  /** Removes who expired, or may not be a member any more. @returns those who are gone */
  sweep(mayStay: (id: string) => boolean): readonly string[]
}

export function createRoster(now: () => number, known: readonly RosterEntry[] = []): Roster {
  const entries = new Map(known.map((entry) => [entry.id, entry]))
  const isAlive = ({ lastHeardAt, timeoutMs }: RosterEntry) => lastHeardAt + timeoutMs >= now()

  return {
    alive: () => [...entries.values()].filter(isAlive).sort((a, b) => (a.id < b.id ? -1 : 1)),
    find(id) {
      const entry = entries.get(id)
      return entry && isAlive(entry) ? entry : undefined
    },
    get size() {
      return entries.size
    },
    put(entry) {
      const before = entries.get(entry.id)
      if (before && isAlive(before) && before.lastHeardAt >= entry.lastHeardAt && entry.via)
        return false
      entries.set(entry.id, entry)
      return true
    },
    sweep(mayStay) {
      const gone = [...entries.values()].filter((entry) => !isAlive(entry) || !mayStay(entry.id))
      for (const { id } of gone) entries.delete(id)
      return gone.map(({ id }) => id)
    },
  }
}
