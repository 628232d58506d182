import { createHash, randomBytes } from 'node:crypto'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { Kysely } from 'kysely'
import type { Database, Store } from '../store/index.ts'
import { seal, unseal } from './sealed.ts'

/** `browser`: waits for the callback. `device`: waits for its user. `ticket`: the token waits to be fetched, once. */
export type LoginPurpose = 'browser' | 'device' | 'ticket'

export interface NewPendingLogin {
  purpose: LoginPurpose
  /** Name of the plugin in the configuration. */
  source: string
  /** Of who began it. */
  address: string
  /** Secret of the browser in which it must end; absent when anybody with the id may end it. */
  browser?: string | undefined
  returnUrl?: string | undefined
  /** Longest; what is kept may say less. */
  lifetimeMs: number
}

export interface PendingLogin {
  source: string
  returnUrl: string | undefined
  kept: unknown
}

export interface PolledPending extends PendingLogin {
  intervalSeconds: number
  /** It came before the interval was over, which is longer now; nothing may be asked for it. */
  isTooFast: boolean
}

/**
 * Logins that go on elsewhere, in the store. Nobody who reads the store can take part in one: ids are kept as hashes, and
 * what plugins want back is sealed with the secret of whoever began.
 */
export interface PendingLogins {
  /**
   * @param keep - makes what is kept; it is given the id
   * @throws too_many_requests when too many are pending, of this address or altogether
   */
  add<Made extends { kept: unknown; lifetimeMs?: number; intervalSeconds?: number }>(
    login: NewPendingLogin,
    keep: (id: string) => Promise<Made>,
  ): Promise<{ id: string; made: Made }>
  /** Ends one: nobody can take it again. @throws unauthenticated when there is none, or it began in another browser */
  take(id: string, purpose: LoginPurpose, browser: string | undefined): Promise<PendingLogin>
  /** Looks at one and notes that it was looked at. @throws unauthenticated when there is none */
  poll(id: string): Promise<PolledPending>
  /** The provider wants to be asked less often. @returns the new interval, seconds */
  slowDown(id: string): Promise<number>
  end(id: string): Promise<void>
}

const ID_BYTES = 32
const MOST_PER_ADDRESS = 100
const MOST_PENDING = 10_000
/** RFC 8628, section 3.5 */
const SLOWER_SECONDS = 5
/** Clients measure intervals with clocks and networks of their own. */
const EARLY_MS = 250

export function createPendingLogins(store: Store, now: () => number): PendingLogins {
  async function assertRoom(address: string): Promise<void> {
    await store.write((db) =>
      db.deleteFrom('pending_logins').where('expires_at', '<=', now()).execute(),
    )
    const pending = store.db
      .selectFrom('pending_logins')
      .select((select) => select.fn.countAll<number>().as('count'))
      .where('purpose', '<>', 'ticket')
    const ofAddress = await pending.where('address', '=', address).executeTakeFirstOrThrow()
    const ofAll = await pending.executeTakeFirstOrThrow()
    if (ofAddress.count < MOST_PER_ADDRESS && ofAll.count < MOST_PENDING) return
    throw new FogbowError(
      'too_many_requests',
      'Too many logins were begun and not ended; try again in some minutes',
      { details: { retryAfterSeconds: 60 } },
    )
  }

  const valid = (db: Kysely<Database>, id: string) =>
    db
      .selectFrom('pending_logins')
      .selectAll()
      .where('id_hash', '=', hashOf(id))
      .where('expires_at', '>', now())

  return {
    async add(login, keep) {
      const { purpose, source, address, browser, returnUrl, lifetimeMs } = login
      if (purpose !== 'ticket') await assertRoom(address)
      const id = randomSecret()
      const made = await keep(id)
      const intervalSeconds = made.intervalSeconds ?? null
      await store.write((db) =>
        db
          .insertInto('pending_logins')
          .values({
            id_hash: hashOf(id),
            purpose,
            source,
            address,
            browser_hash: browser === undefined ? null : hashOf(browser),
            return_url: returnUrl ?? null,
            sealed: seal(made.kept, browser ?? id, `${purpose} ${id}`),
            interval_seconds: intervalSeconds,
            next_poll_at: intervalSeconds === null ? null : now() + intervalSeconds * 1000,
            expires_at: now() + Math.min(made.lifetimeMs ?? lifetimeMs, lifetimeMs),
          })
          .execute(),
      )
      return { id, made }
    },

    async take(id, purpose, browser) {
      const row = await store.write((db) =>
        db
          .deleteFrom('pending_logins')
          .where('id_hash', '=', hashOf(id))
          .where('purpose', '=', purpose)
          .where('expires_at', '>', now())
          .where((where) =>
            where.or([
              where('browser_hash', 'is', null),
              where('browser_hash', '=', hashOf(browser ?? '')),
            ]),
          )
          .returningAll()
          .executeTakeFirst(),
      )
      if (!row) throw (await valid(store.db, id).executeTakeFirst()) ? elsewhere() : over()
      const secret = row.browser_hash === null ? id : (browser ?? '')
      const kept = unseal(row.sealed, secret, `${purpose} ${id}`)
      if (kept === undefined) throw over()
      return { source: row.source, returnUrl: row.return_url ?? undefined, kept }
    },

    async poll(id) {
      const { row, isTooFast, intervalSeconds } = await store.write(async (db) => {
        const found = await valid(db, id).where('purpose', '=', 'device').executeTakeFirst()
        if (!found) throw over()
        const early = now() + EARLY_MS < (found.next_poll_at ?? 0)
        const seconds = (found.interval_seconds ?? 0) + (early ? SLOWER_SECONDS : 0)
        await db
          .updateTable('pending_logins')
          .set({ interval_seconds: seconds, next_poll_at: now() + seconds * 1000 })
          .where('id_hash', '=', found.id_hash)
          .execute()
        return { row: found, isTooFast: early, intervalSeconds: seconds }
      })
      const kept = unseal(row.sealed, id, `device ${id}`)
      return { source: row.source, returnUrl: undefined, kept, intervalSeconds, isTooFast }
    },

    slowDown: (id) =>
      store.write(async (db) => {
        const found = await valid(db, id).executeTakeFirst()
        if (!found) throw over()
        const seconds = (found.interval_seconds ?? 0) + SLOWER_SECONDS
        await db
          .updateTable('pending_logins')
          .set({ interval_seconds: seconds, next_poll_at: now() + seconds * 1000 })
          .where('id_hash', '=', found.id_hash)
          .execute()
        return seconds
      }),

    async end(id) {
      await store.write((db) =>
        db.deleteFrom('pending_logins').where('id_hash', '=', hashOf(id)).execute(),
      )
    },
  }
}

/** 256 bits, as text for addresses and cookies. */
export function randomSecret(): string {
  return randomBytes(ID_BYTES).toString('base64url')
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function over(): FogbowError {
  return new FogbowError(
    'unauthenticated',
    'This login is not known: it was ended before, or took too long; begin again',
  )
}

function elsewhere(): FogbowError {
  return new FogbowError(
    'unauthenticated',
    'This login did not begin in this browser, or its cookies are blocked; begin again here, and stay at the same address of the site',
  )
}
