import type { Passed } from './tap.ts'

/** Who takes part, from left to right. */
export interface Lane {
  readonly key: string
  readonly title: string
}

/** An arrow between two lanes, or a note at one. */
export interface Step {
  /** ms since the user asked */
  readonly at: number
  readonly from: string
  readonly to: string
  readonly label: string
  /** How long this hop took. */
  readonly tookMs?: number
}

export interface Way {
  readonly lanes: readonly Lane[]
  readonly steps: readonly Step[]
}

/** Something that the user, or a cloud, did. */
export interface Event {
  readonly at: number
  readonly from: string
  readonly to: string
  readonly label: string
}

export interface WayParts {
  readonly home: string
  readonly provider: string
  /** What the taps of both sites noted. */
  readonly passed: readonly Passed[]
  readonly events: readonly Event[]
  /** ms since the epoch */
  readonly begunAt: number
}

export const USER = 'user'
export const serverOf = (site: string) => `XMPP ${site}`

/** Puts what was noted at different places into one order. Everything ran on one clock. */
export function toWay({ home, provider, passed, events, begunAt }: WayParts): Way {
  const lanes = [
    { key: USER, title: 'user' },
    { key: home, title: home },
    { key: serverOf(home), title: 'its Prosody' },
    { key: serverOf(provider), title: 'its Prosody' },
    { key: provider, title: provider },
  ]
  const isBetween = ({ from, to }: Passed) =>
    [from, to].every((site) => site === home || site === provider)
  const relevant = passed.filter((each) => each.at >= begunAt && isBetween(each))
  const methods = new Map(
    relevant.flatMap(({ id, method }) => (method === undefined ? [] : [[id, method]])),
  )
  const hops = relevant
    .filter(({ direction }) => direction === 'out')
    .flatMap((sent) => toHops(sent, relevant, methods.get(sent.id) ?? ''))
  const steps = [...events.map((event) => ({ ...event })), ...hops]
    .map((step) => ({ ...step, at: step.at - begunAt }))
    .sort((a, b) => a.at - b.at)
  return { lanes, steps }
}

/** Site to server, server to server, server to site. */
function toHops(sent: Passed, all: readonly Passed[], method: string): Step[] {
  if (method === '' || method.startsWith(':')) return []
  const arrived = all.find(
    ({ id, kind, direction }) => id === sent.id && kind === sent.kind && direction === 'in',
  )
  if (!arrived) return []
  const { from, to, kind } = sent
  const label = kind === 'request' ? method : 'answer'
  return [
    { at: sent.at, from, to: serverOf(from), label },
    {
      ...{ at: sent.at, from: serverOf(from), to: serverOf(to), label: 'TLS' },
      tookMs: arrived.at - sent.at,
    },
    { at: arrived.at, from: serverOf(to), to, label },
  ]
}
