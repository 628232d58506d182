import {
  asFogbowError,
  FogbowError,
  type Outcome,
  type PlacementCandidate,
  type PlacementRanking,
  type PlacementRequest,
} from '@fogbow/plugin-sdk'
import type { Consideration, Place } from '../../orders/index.ts'
import { explain, LONGEST_REASON, leftOut } from './considered.ts'
import { type Survey, type SurveyParts, survey } from './survey.ts'
import { toPlacementRequest, type Wish, wantedCloud } from './wish.ts'

/**
 * Orders that may go to any site: which one first, and which one next. It only decides. Whoever asks the sites asks the
 * one that an order is with until its answer is known, and turns to another only when this says so: then at most one
 * site ever has the order.
 */
export interface AnySite {
  /** @throws unavailable_provider when nobody can be asked, or what speaks against this site; what the plugin throws */
  begin(wish: Wish, signal?: AbortSignal): Promise<Choice>
  /** What follows from an error of the site that the order is with. Never throws. */
  moveOn(placed: PlacedWish, error: { outcome: Outcome; message: string }): Promise<Move>
}

export interface Choice {
  place: Place
  considered: Consideration[]
}

/** A wish that was given to a site. */
export interface PlacedWish extends Wish {
  /** Where it is at present. */
  provider: string
  considered: readonly Consideration[]
}

export type Move =
  | ({ to: 'next' } & Choice)
  /** Not known yet whether, or where to, it may move: it stays, and the same site is asked again later. */
  | { to: 'same'; message: string }
  /** Every site refused it or was left out. */
  | { to: 'nowhere'; message: string; considered: Consideration[] }

export interface AnySiteParts extends SurveyParts {
  /** Asks the placement plugin. */
  rank(
    request: PlacementRequest,
    candidates: PlacementCandidate[],
    signal?: AbortSignal,
  ): Promise<PlacementRanking>
  /** Cloud of this site that takes what names none. */
  defaultCloud(): string
}

export function createAnySite(parts: AnySiteParts): AnySite {
  const { now } = parts

  /** The best of those that did not refuse, and why others are not asked at all. */
  async function decide(wish: Wish, refused: ReadonlySet<string>, signal?: AbortSignal) {
    const found = await survey(parts, wish, refused)
    const ranking =
      found.candidates.length === 0
        ? { ranked: [] }
        : await parts.rank(toPlacementRequest(wish), found.candidates, signal)
    return { ...found, ...readRanking(found, ranking, now()) }
  }

  function choose(wish: Wish, candidate: PlacementCandidate, others: Consideration[]): Choice {
    const { provider, local, clouds = [] } = candidate
    const cloudName = wantedCloud(wish) ?? clouds[0] ?? (local ? parts.defaultCloud() : '')
    const considered: Consideration[] = [...others, { provider, outcome: 'chosen', at: now() }]
    return { place: { provider, cloudName }, considered }
  }

  async function next(placed: PlacedWish, message: string): Promise<Move> {
    const { provider } = placed
    const refusal = { reason: message.slice(0, LONGEST_REASON), at: now() }
    parts.refusals.note(placed, provider, refusal)
    const refused: Consideration[] = [
      ...placed.considered.filter((entry) => isRefused(entry) && entry.provider !== provider),
      { provider, outcome: 'refused', ...refusal },
    ]
    const names = new Set(refused.map((entry) => entry.provider))
    const { chosen, leftOut } = await decide(placed, names)
    const others = [...refused, ...leftOut]
    if (chosen) return { to: 'next', ...choose(placed, chosen, others) }
    return { to: 'nowhere', message: `No site took it. ${explain(others)}`, considered: others }
  }

  return {
    async begin(wish, signal) {
      const { chosen, leftOut, localError } = await decide(wish, new Set(), signal)
      if (chosen) return choose(wish, chosen, leftOut)
      const code = localError?.code ?? 'unavailable_provider'
      throw new FogbowError(code, `No site can be asked for it. ${explain(leftOut)}`)
    },
    async moveOn(placed, { outcome, message }) {
      // Nobody knows whether the site has done it, or will: another one would make a second instance.
      if (outcome === 'unknown') return { to: 'same', message }
      try {
        return await next(placed, message)
      } catch (cause) {
        const problem = asFogbowError(cause).message
        const refused = `${placed.provider} refused it: ${message}`
        return {
          to: 'same',
          message: `${refused}; which site is next is not known yet: ${problem}`,
        }
      }
    },
  }
}

/** Takes from a ranking what is about candidates; who is not ranked is left out. */
function readRanking(
  { candidates, leftOut: before }: Survey,
  ranking: PlacementRanking,
  at: number,
) {
  const best = ranking.ranked.find((id) => candidates.some(({ provider }) => provider === id))
  const reasons = new Map(ranking.leftOut?.map(({ provider, reason }) => [provider, reason]))
  const unranked = candidates.filter(({ provider }) => !ranking.ranked.includes(provider))
  return {
    chosen: candidates.find(({ provider }) => provider === best),
    leftOut: [
      ...before,
      ...unranked.map(({ provider }) =>
        leftOut(provider, reasons.get(provider) || 'the placement plugin gives no reason', at),
      ),
    ],
  }
}

function isRefused({ outcome }: Consideration): boolean {
  return outcome === 'refused'
}
