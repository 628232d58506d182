import type { Clock, Storage, StorageChange } from '@fogbow/plugin-sdk'
import { type InstanceRecord, keyOf } from './record.ts'
import type { RecordIndex } from './record-index.ts'

/** Stores records, and on the way deletes from the storage what has gone by itself meanwhile. */
export interface RecordWriter {
  /** Takes out of the index what has gone since. */
  forgetGone(): void
  /**
   * Stores records as they are now, together with further changes.
   * @param undo - called when that fails
   */
  store(
    records: readonly InstanceRecord[],
    undo: () => void,
    more?: readonly StorageChange[],
  ): Promise<void>
  /** Resolves when the present write of a record, if any, has ended well. */
  stored(record: InstanceRecord): Promise<void>
}

export function createRecordWriter(
  storage: Storage,
  clock: Clock,
  index: RecordIndex,
): RecordWriter {
  const writing = new Map<InstanceRecord, Promise<void>>()
  const stale = new Set<string>()

  function forgetGone(): void {
    const now = clock.now()
    for (const record of index.leaving) {
      if (writing.has(record) || (record.goneAt ?? now) > now) continue
      index.forget(record)
      stale.add(keyOf(record))
    }
  }

  function toChange(record: InstanceRecord): StorageChange {
    const key = keyOf(record)
    stale.delete(key)
    const isGone = record.goneAt !== undefined && record.goneAt <= clock.now()
    return isGone ? { key } : { key, value: record }
  }

  async function store(
    records: readonly InstanceRecord[],
    undo: () => void,
    more: readonly StorageChange[] = [],
  ): Promise<void> {
    forgetGone()
    const own = records.map(toChange)
    const changes = [...own, ...more, ...[...stale].map((key) => ({ key }))]
    stale.clear()
    const written = storage.write(changes)
    for (const record of records) writing.set(record, written)
    try {
      await written
    } catch (error) {
      undo()
      throw error
    } finally {
      for (const record of records) if (writing.get(record) === written) writing.delete(record)
    }
    records.forEach((record, position) => {
      if (own[position]?.value === undefined) index.forget(record)
      else if (record.goneAt !== undefined) index.leaving.add(record)
    })
  }

  return { forgetGone, store, stored: async (record) => writing.get(record) }
}
