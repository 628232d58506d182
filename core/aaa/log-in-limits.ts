import { hash } from 'node:crypto'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { Kysely } from 'kysely'
import type { Database, Store } from '../store/index.ts'
import { createTurns } from './turns.ts'

/** Whose password is tried, and from where. */
export interface LogInAttempt {
  source: string
  /** However it is written: names that some directory takes for one are one. */
  userName: string
  /** Of the client. */
  address: string
}

/** Makes those wait who guess passwords. */
export interface LogInLimits {
  /**
   * Tries a log-in that is allowed now; what comes of it counts for later ones.
   * @param isRefusal - whether an error means that the credentials are wrong
   * @throws too_many_requests with `retryAfterSeconds`; whatever `run` throws
   */
  attempt<Result>(
    attempt: LogInAttempt,
    run: () => Promise<Result>,
    isRefusal: (error: unknown) => boolean,
  ): Promise<Result>
}

interface Rule {
  key: string
  /** Failures without consequence. */
  free: number
  longestLockMs: number
}

const FIRST_LOCK_MS = 1000
const LONGEST_LOCK_MS = 15 * 60_000
/** Of one user everywhere: short, since whoever guesses must not be able to keep the user out. */
const LONGEST_LOCK_EVERYWHERE_MS = 60_000
/** Failures are forgotten so long after the last one, or after the lock that it brought. */
const FORGET_MS = 15 * 60_000
const KNOWN_PLACE_MS = 30 * 86_400_000
const DAY_MS = 86_400_000
/** Many people may share an address, and one may have many: each is locked out later than one name at one address. */
const MANY = 10
const AT_ONCE = 10
const MOST_WAITING = 100

/**
 * Three counts, each with a lock that doubles with every further failure: one user at one address, one address, one user
 * everywhere. The last does not concern addresses from which the user has logged in before, and is short.
 *
 * Counts are in the store: a restart forgives nothing, and processes of one site count together. Log-ins of one user at one
 * address are tried one after the other, so that many at once get no more tries than one after the other.
 */
export function createLogInLimits(
  store: Store,
  now: () => number,
  /** Failures without consequence, of one user at one address; 0 for no limit. */
  freeFailures: () => number,
): LogInLimits {
  const byName = createTurns(1, MOST_WAITING)
  const byAddress = createTurns(AT_ONCE, MOST_WAITING)
  const byUser = createTurns(AT_ONCE, MOST_WAITING)

  async function check(rules: Rules): Promise<void> {
    const place = await store.db
      .selectFrom('log_in_places')
      .select('key')
      .where('key', '=', rules.place)
      .where('keep_until', '>', now())
      .executeTakeFirst()
    const counting = [rules.name, rules.address, ...(place ? [] : [rules.user])]
    const keys = counting.map((rule) => rule.key)
    const row = await store.db
      .selectFrom('log_in_failures')
      .select((eb) => eb.fn.max('locked_until').as('until'))
      .where('key', 'in', keys)
      .executeTakeFirst()
    const waitMs = Number(row?.until ?? 0) - now()
    if (waitMs > 0) throw lockedOut(waitMs)
  }

  return {
    async attempt(attempt, run, isRefusal) {
      const free = freeFailures()
      if (free === 0) return run()
      const rules = rulesFor(attempt, free)
      const tried = async () => {
        await check(rules)
        try {
          const result = await run()
          await store.write((db) => noteSuccess(db, rules, now()))
          return result
        } catch (error) {
          if (isRefusal(error)) await store.write((db) => noteFailure(db, rules, now()))
          throw error
        }
      }
      return byAddress.take(rules.address.key, () =>
        byUser.take(rules.user.key, () => byName.take(rules.name.key, tried)),
      )
    },
  }
}

interface Rules {
  name: Rule
  address: Rule
  user: Rule
  /** The user at the address, once logged in. */
  place: string
}

function rulesFor({ source, userName, address }: LogInAttempt, free: number): Rules {
  const name = userName.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase()
  const place = network(address)
  const many = free * MANY
  return {
    name: { key: keyOf('name', source, name, place), free, longestLockMs: LONGEST_LOCK_MS },
    address: { key: keyOf('address', place), free: many, longestLockMs: LONGEST_LOCK_MS },
    user: {
      key: keyOf('user', source, name),
      free: many,
      longestLockMs: LONGEST_LOCK_EVERYWHERE_MS,
    },
    place: keyOf('place', source, name, place),
  }
}

/** Hashed, so that its length is bounded, and what people type by mistake is nowhere to be read. */
function keyOf(...parts: string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url')
}

/** Whoever has an IPv6 address has all those of its /64 (RFC 4291, section 2.5.4). */
function network(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length)
  const all = [...groups, ...Array<string>(missing).fill('0'), ...rest]
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

async function noteFailure(db: Kysely<Database>, rules: Rules, now: number): Promise<void> {
  for (const { key, free, longestLockMs } of [rules.name, rules.address, rules.user]) {
    const known = await db
      .selectFrom('log_in_failures')
      .select('count')
      .where('key', '=', key)
      .where('keep_until', '>', now)
      .executeTakeFirst()
    const count = (known?.count ?? 0) + 1
    const excess = count - free
    const lockMs =
      excess < 0 ? 0 : Math.min(FIRST_LOCK_MS * 2 ** Math.min(excess, 20), longestLockMs)
    const row = { count, locked_until: now + lockMs, keep_until: now + lockMs + FORGET_MS }
    await db
      .insertInto('log_in_failures')
      .values({ key, ...row })
      .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
      .execute()
  }
}

/** What others tried elsewhere goes on counting: a log-in of the user gives them no new tries. */
async function noteSuccess(db: Kysely<Database>, rules: Rules, now: number): Promise<void> {
  await db.deleteFrom('log_in_failures').where('key', '=', rules.name.key).execute()
  const keep = { keep_until: now + KNOWN_PLACE_MS }
  await db
    .insertInto('log_in_places')
    .values({ key: rules.place, ...keep })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet(keep)
        .where('log_in_places.keep_until', '<', now + KNOWN_PLACE_MS - DAY_MS),
    )
    .execute()
}

function lockedOut(waitMs: number): FogbowError {
  const retryAfterSeconds = Math.ceil(waitMs / 1000)
  const message = `Too many failed log-ins. Try again in ${retryAfterSeconds} s`
  return new FogbowError('too_many_requests', message, { details: { retryAfterSeconds } })
}
