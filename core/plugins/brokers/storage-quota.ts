import { FogbowError } from '@fogbow/plugin-sdk'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../store/index.ts'

export interface StorageQuota {
  /** Keys and values together, bytes. */
  bytes: number
  entries: number
}

export const quotaOf = (storageMiB: number): StorageQuota => ({
  bytes: storageMiB * 1_048_576,
  entries: 100_000,
})

/** A change that was looked at; `text` absent deletes. */
export interface Entry {
  key: string
  text: string | undefined
}

export interface Usage {
  /**
   * Counts what the changes will add, within the transaction that makes them.
   * @throws quota_exceeded
   */
  reckon(db: Kysely<Database>, changes: readonly Entry[]): Promise<void>
  /** After a transaction that failed: what was counted is not known to be there. */
  forget(): void
}

/**
 * Counted from the store once, then by difference, since units of work run one after the other. While two versions of an
 * instance run beside each other nobody knows the sum without counting.
 */
export function createUsage(
  plugin: string,
  quota: StorageQuota,
  isShared: () => boolean = () => false,
): Usage {
  let known: StorageQuota | undefined

  /** One key at a time: the text of the statement stays the same, so that it is prepared once. */
  async function difference(db: Kysely<Database>, changes: readonly Entry[]) {
    const sum = { bytes: 0, entries: 0 }
    for (const { key, text } of changes) {
      const before = await db
        .selectFrom('plugin_storage')
        .select(sizeOf)
        .where('plugin', '=', plugin)
        .where('key', '=', key)
        .executeTakeFirst()
      const size = text === undefined ? 0 : bytesOf(key) + bytesOf(text)
      sum.bytes += size - Number(before?.size ?? 0)
      sum.entries += Number(text !== undefined) - Number(before !== undefined)
    }
    return sum
  }

  return {
    async reckon(db, changes) {
      if (changes.length === 0) return
      const used = (isShared() ? undefined : known) ?? (await countAll(db, plugin))
      const more = await difference(db, changes)
      const next = { bytes: used.bytes + more.bytes, entries: used.entries + more.entries }
      // Whatever makes it smaller is allowed, also when the quota was lowered meanwhile.
      if (more.bytes > 0 && next.bytes > quota.bytes)
        throw exceeded(plugin, changes, `${next.bytes} of ${quota.bytes} bytes`)
      if (more.entries > 0 && next.entries > quota.entries)
        throw exceeded(plugin, changes, `${next.entries} of ${quota.entries} entries`)
      known = isShared() ? undefined : next
    },
    forget() {
      known = undefined
    },
  }
}

export const sizeOf = sql<number>`octet_length(key) + octet_length(value)`.as('size')

async function countAll(db: Kysely<Database>, plugin: string): Promise<StorageQuota> {
  const row = await db
    .selectFrom('plugin_storage')
    .select([
      sql<number>`coalesce(sum(octet_length(key) + octet_length(value)), 0)`.as('bytes'),
      sql<number>`count(*)`.as('entries'),
    ])
    .where('plugin', '=', plugin)
    .executeTakeFirstOrThrow()
  return { bytes: Number(row.bytes), entries: Number(row.entries) }
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text)
}

function exceeded(plugin: string, changes: readonly Entry[], amount: string): FogbowError {
  const key = changes.find(({ text }) => text !== undefined)?.key ?? ''
  const more = changes.length > 1 ? ` and ${changes.length - 1} more` : ''
  return new FogbowError(
    'quota_exceeded',
    `storage: with '${key.slice(0, 128)}'${more} plugin '${plugin}' would store ${amount}; plugins.${plugin}.grants.storageMiB allows no more`,
  )
}
