import { asFogbowError, FogbowError } from '@fogbow/plugin-sdk'
import type { Store } from '../store/index.ts'

/** Something that a cloud does again each time that it is asked. */
export interface Effect<Result> {
  /** Ids of what is there that could come of it; undefined where the cloud cannot tell. */
  look(): Promise<readonly string[] | undefined>
  run(): Promise<Result>
  /** What came of it, judging by what was there before and is there now; undefined while nothing is seen. */
  found(before: readonly string[], now: readonly string[]): { readonly result: Result } | undefined
  /** How long after its end it may take to be seen, ms; absent of what does no harm when it is repeated. */
  readonly showsWithinMs?: number
}

/** Brings about an effect, however often it is asked for. */
export type Once = <Result>(effect: Effect<Result>) => Promise<Result>

/**
 * One effect for each scope. Before the cloud is asked it is written down what was there: whoever comes after an attempt of
 * which nobody saw the end looks for what was not there before, and asks again only when it cannot come any more.
 */
export interface Effects {
  of(scope: string): Once
}

export interface EffectParts {
  readonly store: Store
  now(): number
  /** How long a call to a cloud may take effect after its end, ms. */
  settleMs(): number
}

interface Begun {
  readonly before: readonly string[] | undefined
  readonly at: number
}

export function createEffects({ store, now, settleMs }: EffectParts): Effects {
  /** No call of a process before this one is still running. */
  const startedAt = now()

  async function begunBefore(scope: string): Promise<Begun | undefined> {
    const row = await store.db
      .selectFrom('begun_effects')
      .select(['before', 'at'])
      .where('scope', '=', scope)
      .executeTakeFirst()
    return row && { at: row.at, before: row.before === null ? undefined : JSON.parse(row.before) }
  }

  async function note(scope: string, before: readonly string[] | undefined): Promise<void> {
    const row = { before: before ? JSON.stringify(before) : null, at: now() }
    await store.write((db) =>
      db
        .insertInto('begun_effects')
        .values({ scope, ...row })
        .onConflict((conflict) => conflict.column('scope').doUpdateSet(row))
        .execute(),
    )
  }

  async function forget(scope: string): Promise<void> {
    await store.write((db) => db.deleteFrom('begun_effects').where('scope', '=', scope).execute())
  }

  /** @throws an error of unknown outcome while it may still show, and for ever where the cloud cannot tell */
  async function lookFor<Result>(effect: Effect<Result>, begun: Begun) {
    const there = begun.before && (await effect.look())
    if (!begun.before || !there)
      throw notKnown('the cloud does not tell whether it was done: look before you ask anew')
    const found = effect.found(begun.before, there)
    if (found) return found
    if (effect.showsWithinMs === undefined) return undefined
    const until = Math.max(begun.at, startedAt) + effect.showsWithinMs + settleMs()
    if (now() < until) throw notKnown(`it may still show until ${new Date(until).toISOString()}`)
    return undefined
  }

  async function bringAbout<Result>(
    scope: string,
    effect: Effect<Result>,
    before: readonly string[] | undefined,
  ): Promise<Result> {
    await note(scope, before)
    try {
      return await effect.run()
    } catch (error) {
      const isRefused = asFogbowError(error).outcome === 'refused'
      await (isRefused ? forget(scope) : note(scope, before))
      throw error
    }
  }

  return {
    of: (scope) => async (effect) => {
      const begun = await begunBefore(scope)
      if (!begun) return bringAbout(scope, effect, await effect.look())
      const found = await lookFor(effect, begun)
      return found ? found.result : bringAbout(scope, effect, begun.before)
    },
  }
}

function notKnown(why: string): FogbowError {
  return new FogbowError(
    'plugin_failure',
    `An earlier attempt was begun and nobody saw its end; ${why}`,
  )
}
