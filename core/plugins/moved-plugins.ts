import type { Store } from '../store/index.ts'

export interface Move {
  /** What its thread did. */
  reason: string
  /** ms since the epoch */
  at: number
}

/** Which plugins do not get a thread any more, over restarts of the site: each would cost another core. */
export interface MovedPlugins {
  /** Another bundle than the one that was moved gets another chance, and the old move is forgotten. */
  find(plugin: string, bundleHash: string): Promise<Move | undefined>
  remember(plugin: string, bundleHash: string, move: Move): Promise<void>
  forget(plugin: string): Promise<void>
}

export function createMovedPlugins(store: Store): MovedPlugins {
  async function forget(plugin: string): Promise<void> {
    await store.write((db) => db.deleteFrom('moved_plugins').where('plugin', '=', plugin).execute())
  }

  return {
    async find(plugin, bundleHash) {
      const row = await store.db
        .selectFrom('moved_plugins')
        .selectAll()
        .where('plugin', '=', plugin)
        .executeTakeFirst()
      if (row?.bundle_hash === bundleHash) return { reason: row.reason, at: row.moved_at }
      if (row) await forget(plugin)
      return undefined
    },
    async remember(plugin, bundleHash, { reason, at }) {
      const row = { bundle_hash: bundleHash, reason, moved_at: at }
      await store.write((db) =>
        db
          .insertInto('moved_plugins')
          .values({ plugin, ...row })
          .onConflict((conflict) => conflict.column('plugin').doUpdateSet(row))
          .execute(),
      )
    },
    forget,
  }
}
