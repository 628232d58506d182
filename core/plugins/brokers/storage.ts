import { FogbowError, invalid, type StorageChange } from '@fogbow/plugin-sdk'
import type { HostMethod } from '@fogbow/sandbox'
import type { Kysely } from 'kysely'
import type { Database, Store } from '../../store/index.ts'

const LONGEST_KEY = 512
const LARGEST_VALUE = 1_048_576
const MOST_CHANGES = 1000
const PAGE = 1000

/** `storage.*`: the key/value store of one plugin instance. */
export function storageBroker(plugin: string, store: Store): Record<string, HostMethod> {
  return {
    'storage.get': async ([key]) => {
      const row = await entries(store.db, plugin).where('key', '=', toKey(key)).executeTakeFirst()
      return row ? JSON.parse(row.value) : null
    },
    'storage.set': async ([key, value]) => write(store, plugin, [{ key: toKey(key), value }]),
    'storage.delete': async ([key]) => write(store, plugin, [{ key: toKey(key) }]),
    'storage.write': async ([changes]) => write(store, plugin, toChanges(changes)),
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
  const rows = await entries(store.db, plugin)
    .where('key', start === prefix ? '>=' : '>', start)
    .where('key', '<', `${prefix}\u{10ffff}`)
    .orderBy('key')
    .limit(most)
    .execute()
  return rows.map((row) => ({ key: row.key, value: JSON.parse(row.value) }))
}

async function write(
  store: Store,
  plugin: string,
  changes: readonly StorageChange[],
): Promise<void> {
  const texts = changes.map(({ key, value }) => ({
    key,
    text: value === undefined ? undefined : toText(key, value),
  }))
  await store.write(async (db) => {
    for (const { key, text } of texts) {
      if (text === undefined)
        await db
          .deleteFrom('plugin_storage')
          .where('plugin', '=', plugin)
          .where('key', '=', key)
          .execute()
      else {
        await db
          .insertInto('plugin_storage')
          .values({ plugin, key, value: text })
          .onConflict((conflict) =>
            conflict.columns(['plugin', 'key']).doUpdateSet({ value: text }),
          )
          .execute()
      }
    }
  })
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

function toText(key: string, value: unknown): string {
  const text = JSON.stringify(value)
  if (text === undefined) throw invalid(key, 'is nothing that JSON can express')
  if (text.length <= LARGEST_VALUE) return text
  throw new FogbowError(
    'payload_too_large',
    `storage: the value of '${key}' is longer than ${LARGEST_VALUE} characters`,
  )
}
