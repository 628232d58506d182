import type { Consideration } from '../../orders/index.ts'

export const LONGEST_REASON = 500
/** Of one reason within a message; the list has more of it. */
const LONGEST_MENTION = 160
/** Less than what members may tell each other. */
const LONGEST_MESSAGE = 4000

export function leftOut(provider: string, reason: string, at: number): Consideration {
  return { provider, outcome: 'leftOut', reason: reason.slice(0, LONGEST_REASON), at }
}

/** Every site with its reason. */
export function explain(considered: readonly Consideration[]): string {
  const sentences = considered.map(({ provider, outcome, reason = '' }) => {
    const said = reason.length > LONGEST_MENTION ? `${reason.slice(0, LONGEST_MENTION)}…` : reason
    return `${provider}${outcome === 'leftOut' ? ' (not asked)' : ''}: ${said}`
  })
  return sentences.join('; ').slice(0, LONGEST_MESSAGE) || 'There is none.'
}
