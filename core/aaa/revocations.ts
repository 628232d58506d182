import { createHash } from 'node:crypto'
import type { Store } from '../store/index.ts'

/** Tokens that are not accepted any more although they have not expired. */
export interface Revocations {
  has(tokenValue: string): boolean
  /** @param expiresAt - ms since the epoch, after which the token is refused anyway */
  add(tokenValue: string, expiresAt: number): Promise<void>
}

export async function loadRevocations(store: Store, now: () => number): Promise<Revocations> {
  await store.write((db) =>
    db.deleteFrom('revoked_tokens').where('expires_at', '<', now()).execute(),
  )
  const rows = await store.db.selectFrom('revoked_tokens').select('token_hash').execute()
  const hashes = new Set(rows.map((row) => row.token_hash))
  return {
    has: (tokenValue) => hashes.size > 0 && hashes.has(hashOf(tokenValue)),
    async add(tokenValue, expiresAt) {
      const hash = hashOf(tokenValue)
      await store.write((db) =>
        db
          .insertInto('revoked_tokens')
          .values({ token_hash: hash, expires_at: expiresAt })
          .onConflict((conflict) => conflict.column('token_hash').doNothing())
          .execute(),
      )
      hashes.add(hash)
    },
  }
}

/** Tokens are kept as hashes only: whoever reads the store cannot use them. */
function hashOf(tokenValue: string): string {
  return createHash('sha256').update(tokenValue).digest('hex')
}
