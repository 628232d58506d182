import { FogbowError, invalid, type StorageChange } from '@fogbow/plugin-sdk'
import type { HostMethod } from '@fogbow/sandbox'
import type { Kysely } from 'kysely'
import type { Database, Store } from '../../store/index.ts'
import { createUsage, type Entry, type StorageQuota, sizeOf, type Usage } from './storage-quota.ts'

const LONGEST_KEY = 512
const LARGEST_VALUE = 1_048_576
const MOST_CHANGES = 1000
const PAGE = 1000
/** Of one page of a list, beyond which it is refused: it would not cross to the plugin. */
const LARGEST_PAGE_BYTES = 8 * 1_048_576

/**
 * `storage.*`: the key/value store of one plugin instance.
 * @param isShared - whether another version of it runs at present and changes the same entries
 */
export function storageBroker(
  plugin: string,
  store: Store,
  quota: StorageQuota,
  isShared: () => boolean = () => false,
): Record<string, HostMethod> {
  const usage = createUsage(plugin, quota, isShared)
  const write = (changes: readonly StorageChange[]) => writeAll(store, plugin, usage, changes)
  return {
    'storage.get': async ([key]) => {
      const row = await entries(store.db, plugin).where('key', '=', toKey(key)).executeTakeFirst()
      return row ? [JSON.parse(row.value)] : []
    },
    'storage.set': async ([key, value]) => {
      if (value === undefined) throw invalid('value', 'is missing')
      await write([{ key: toKey(key), value }])
    },
    'storage.delete': async ([key]) => write([{ key: toKey(key) }]),
    'storage.write': async ([changes]) => write(toChanges(changes)),
    'storage.list': async ([prefix, options]) => list(store, plugin, prefix, options),
  }
}

function entries(db: Kysely<Database>, plugin: string) {
  return db.selectFrom('plugin_storage').select(['key', 'value']).where('plugin', '=', plugin)
}

async function list(store: Store, plugin: string, prefix: unknown, options: unknown) {
  if (typeof prefix !== 'string') throw invalid('prefix', 'must be a string')
  const { after, limit } = (options ?? {}) as { after?: unknown; limit?: unknown }
  const most = typeof limit === 'number' && limit >= 1 ? Math.min(Math.trunc(limit), PAGE) : PAGE
  const start = typeof after === 'string' && after > prefix ? after : prefix
  const page = store.db
    .selectFrom('plugin_storage')
    .where('plugin', '=', plugin)
    .where('key', start === prefix ? '>=' : '>', start)
    .where('key', '<', `${prefix}\u{10ffff}`)
    .orderBy('key')
    .limit(most)
  const sizes = await page.select(sizeOf).execute()
  if (sizes.reduce((sum, { size }) => sum + Number(size), 0) > LARGEST_PAGE_BYTES) {
    throw new FogbowError(
      'payload_too_large',
      `storage: ${sizes.length} entries from '${start}' on are more than ${LARGEST_PAGE_BYTES} bytes; list fewer at a time`,
    )
  }
  const rows = await page.select(['key', 'value']).execute()
  return rows.map((row) => ({ key: row.key, value: JSON.parse(row.value) }))
}

async function writeAll(
  store: Store,
  plugin: string,
  usage: Usage,
  changes: readonly StorageChange[],
): Promise<void> {
  const last = new Map(changes.map(({ key, value }) => [key, toText(key, value)]))
  const wanted = [...last].map(([key, text]) => ({ key, text }))
  try {
    await store.write(async (db) => {
      await usage.reckon(db, wanted)
      for (const entry of wanted) await apply(db, plugin, entry)
    })
  } catch (error) {
    usage.forget()
    throw error
  }
}

async function apply(db: Kysely<Database>, plugin: string, { key, text }: Entry): Promise<void> {
  if (text === undefined) {
    await db
      .deleteFrom('plugin_storage')
      .where('plugin', '=', plugin)
      .where('key', '=', key)
      .execute()
    return
  }
  await db
    .insertInto('plugin_storage')
    .values({ plugin, key, value: text })
    .onConflict((conflict) => conflict.columns(['plugin', 'key']).doUpdateSet({ value: text }))
    .execute()
}

function toChanges(changes: unknown): StorageChange[] {
  if (!Array.isArray(changes)) throw invalid('changes', 'must be a list')
  if (changes.length > MOST_CHANGES) throw invalid('changes', `at most ${MOST_CHANGES} at once`)
  return changes.map((change) => ({ key: toKey(change?.key), value: change?.value }))
}

function toKey(key: unknown): string {
  if (typeof key === 'string' && key.length > 0 && key.length <= LONGEST_KEY) return key
  throw invalid('key', `must be a text of 1 to ${LONGEST_KEY} characters`)
}

/** @returns undefined for what is to be deleted */
function toText(key: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  const text = JSON.stringify(value)
  if (text === undefined) throw invalid(key, 'is nothing that JSON can express')
  if (text.length <= LARGEST_VALUE) return text
  throw new FogbowError(
    'payload_too_large',
    `storage: the value of '${key}' is longer than ${LARGEST_VALUE} characters`,
  )
}
