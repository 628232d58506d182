import { createHash } from 'node:crypto'
import { type FederationUser, FogbowError } from '@fogbow/plugin-sdk'
import type { Kysely } from 'kysely'
import type { Database, Store } from '../store/index.ts'
import type { RequestContext } from './operations.ts'

/** Stores the answer under the key of the request, in the transaction of whatever the request does. */
export type Remember = (db: Kysely<Database>, answer: unknown) => Promise<void>

/**
 * Runs a creation once per `Idempotency-Key` and user; a repetition gets the first answer, also after a restart.
 * @param fingerprint - what is asked for; the same key with another one is refused
 * @throws idempotency_conflict
 */
export type Idempotently = <Answer>(
  context: RequestContext,
  user: FederationUser,
  fingerprint: unknown,
  run: (remember: Remember) => Promise<Answer>,
) => Promise<Answer>

export function createIdempotency(store: Store, now: () => number): Idempotently {
  const underWay = new Map<string, { hash: string; answer: Promise<unknown> }>()

  async function first<Answer>(
    scope: string,
    hash: string,
    run: (remember: Remember) => Promise<Answer>,
  ): Promise<Answer> {
    const row = await store.db
      .selectFrom('idempotency_keys')
      .selectAll()
      .where('scope', '=', scope)
      .executeTakeFirst()
    if (row) {
      checkSame(hash, row.request_hash)
      return JSON.parse(row.answer)
    }
    return run(async (db, answer) => {
      await db
        .insertInto('idempotency_keys')
        .values({
          scope,
          request_hash: hash,
          answer: JSON.stringify(answer ?? null),
          created_at: now(),
        })
        .execute()
    })
  }

  return async <Answer>(
    context: RequestContext,
    user: FederationUser,
    fingerprint: unknown,
    run: (remember: Remember) => Promise<Answer>,
  ): Promise<Answer> => {
    if (context.idempotencyKey === undefined) return run(async () => {})
    const scope = JSON.stringify([user.identityProviderId, user.id, context.idempotencyKey])
    const hash = createHash('sha256').update(JSON.stringify(fingerprint)).digest('hex')
    const other = underWay.get(scope)
    if (other) {
      checkSame(hash, other.hash)
      return other.answer as Promise<Answer>
    }
    const answer = first(scope, hash, run)
    underWay.set(scope, { hash, answer })
    try {
      return await answer
    } finally {
      underWay.delete(scope)
    }
  }
}

function checkSame(hash: string, stored: string): void {
  if (hash === stored) return
  throw new FogbowError(
    'idempotency_conflict',
    'Idempotency-Key: was used before with another request; use a new key',
  )
}
