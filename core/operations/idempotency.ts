import { createHash, randomUUID } from 'node:crypto'
import { type FederationUser, FogbowError } from '@fogbow/plugin-sdk'
import type { Kysely } from 'kysely'
import type { Database, Store } from '../store/index.ts'
import type { Effects, Once } from './once.ts'
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
  run: (remember: Remember, attempt: Attempt) => Promise<Answer>,
) => Promise<Answer>

/** One of the attempts at what is asked for once. */
export interface Attempt {
  /** The same for all of them. */
  readonly key: string
  /** For what is done at a cloud. */
  readonly once: Once
}

export function createIdempotency(store: Store, now: () => number, effects: Effects): Idempotently {
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
      await db.deleteFrom('begun_effects').where('scope', '=', scope).execute()
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
    run: (remember: Remember, attempt: Attempt) => Promise<Answer>,
  ): Promise<Answer> => {
    const { idempotencyKey: key } = context
    if (key === undefined) return run(async () => {}, onlyAttempt())
    const scope = JSON.stringify([user.identityProviderId, user.id, key])
    const hash = createHash('sha256').update(JSON.stringify(fingerprint)).digest('hex')
    const other = underWay.get(scope)
    if (other) {
      checkSame(hash, other.hash)
      return other.answer as Promise<Answer>
    }
    const attempt = { key, once: effects.of(scope) }
    const answer = first(scope, hash, (remember) => run(remember, attempt))
    underWay.set(scope, { hash, answer })
    try {
      return await answer
    } finally {
      underWay.delete(scope)
    }
  }
}

/** Nobody will ask for it again. */
function onlyAttempt(): Attempt {
  return { key: randomUUID(), once: (effect) => effect.run() }
}

function checkSame(hash: string, stored: string): void {
  if (hash === stored) return
  throw new FogbowError(
    'idempotency_conflict',
    'Idempotency-Key: was used before with another request; use a new key',
  )
}
