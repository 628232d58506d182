import { hash } from 'node:crypto'
import type { DialectParts } from '../dialect.ts'
import { MAX_ENVELOPE_LENGTH, Refusal, type Trust } from '../trust/index.ts'
import {
  type Clock,
  childNamed,
  type Element,
  element,
  elementsOf,
  StanzaError,
  textOf,
} from '../xmpp/index.ts'
import { MAX_INLINE_LENGTH, NAMESPACE } from './protocol.ts'

/**
 * Carries texts of any size in stanzas of limited size. What does not fit is announced by a signed list of the hashes of its
 * pieces; the receiver then fetches them. So nobody can make a site keep pieces that no member signed for.
 */
export interface Parcels {
  /** @param text - ASCII. @throws Refusal `too-large`, or `busy` when too much waits to be fetched */
  wrap(member: string, name: 'request' | 'answer', text: string): Element
  /** @throws Refusal; XmppError when a piece does not come */
  unwrap(member: string, from: Element | undefined, timeoutMs: number): Promise<string>
  /** The piece that a member fetches. @throws StanzaError when there is none for it */
  piece(member: string, asked: Element): Element
}

/** Room for an envelope that is encrypted. */
const MAX_LENGTH = 2 * MAX_ENVELOPE_LENGTH
/** Kept to be fetched. */
const OFFERED_MS = 60_000
const MOST_OFFERED_LENGTH = { perMember: 2 * MAX_LENGTH, total: 8 * MAX_LENGTH }
/** Fetched at the same time. */
const MOST_FETCHED = { perMember: 4, total: 16 }
/** Servers carry two large stanzas at a time faster than many. */
const PIECES_AT_A_TIME = 2

interface Offer {
  readonly member: string
  readonly length: number
  readonly pieces: readonly string[]
  until: number
}

export interface ParcelParts {
  readonly trust: Trust
  readonly clock: Clock
  readonly request: DialectParts['request']
}

export function createParcels({ trust, clock, request }: ParcelParts): Parcels {
  const offers = new Map<string, Offer>()
  const fetching = new Map<string, number>()

  function offer(member: string, text: string): { id: string; hashes: string[] } {
    if (text.length > MAX_LENGTH) throw new Refusal('too-large', `has ${text.length} characters`)
    forgetOld()
    const id = digest(text)
    const pieces = cut(text)
    const known = offers.get(id)
    if (!known) assertRoom(member, text.length)
    offers.set(id, { member, length: text.length, pieces, until: clock.now() + OFFERED_MS })
    return { id, hashes: pieces.map(digest) }
  }

  function forgetOld(): void {
    for (const [id, { until }] of offers) if (until <= clock.now()) offers.delete(id)
  }

  function assertRoom(member: string, length: number): void {
    const sum = (some: Iterable<Offer>) => [...some].reduce((total, one) => total + one.length, 0)
    const all = [...offers.values()]
    const ofMember = all.filter((one) => one.member === member)
    const isFull =
      sum(all) + length > MOST_OFFERED_LENGTH.total ||
      sum(ofMember) + length > MOST_OFFERED_LENGTH.perMember
    if (isFull) throw new Refusal('busy', `${member} has not fetched what waits for it`)
  }

  async function fetchAll(member: string, announcement: string, timeoutMs: number) {
    const { id, claims } = trust.open('parcel', announcement, { from: member })
    const { hashes, length } = readAnnouncement(claims)
    const until = clock.now() + Math.min(timeoutMs, OFFERED_MS)
    const pieces: string[] = []
    for (let at = 0; at < hashes.length; at += PIECES_AT_A_TIME) {
      const some = hashes.slice(at, at + PIECES_AT_A_TIME)
      const timeLeft = Math.max(1, until - clock.now())
      pieces.push(
        ...(await Promise.all(
          some.map((expected, index) => fetchPiece(member, id, at + index, expected, timeLeft)),
        )),
      )
    }
    const text = pieces.join('')
    if (text.length !== length) throw new Refusal('bad-content', 'it is not as long as announced')
    return text
  }

  async function fetchPiece(
    member: string,
    id: string,
    number: number,
    expected: string,
    timeoutMs: number,
  ): Promise<string> {
    const question = element('piece', { xmlns: NAMESPACE, of: id, number: String(number) })
    const answer = await request(member, 'get', [question], { timeoutMs })
    const piece = childNamed(answer, 'piece')
    const text = piece ? textOf(piece) : ''
    if (digest(text) !== expected)
      throw new Refusal('bad-content', `piece ${number} is not what was announced`)
    return text
  }

  /** Bounds what one member, and all together, make this site fetch at a time. */
  async function counted<Result>(member: string, run: () => Promise<Result>): Promise<Result> {
    const total = fetching.values().reduce((sum, count) => sum + count, 0)
    const own = fetching.get(member) ?? 0
    if (own >= MOST_FETCHED.perMember || total >= MOST_FETCHED.total)
      throw new Refusal('busy', `${own} large contents of ${member} are being fetched`)
    fetching.set(member, own + 1)
    try {
      return await run()
    } finally {
      const left = (fetching.get(member) ?? 1) - 1
      if (left > 0) fetching.set(member, left)
      else fetching.delete(member)
    }
  }

  return {
    wrap(member, name, text) {
      if (text.length <= MAX_INLINE_LENGTH) return element(name, { xmlns: NAMESPACE }, [text])
      const { id, hashes } = offer(member, text)
      const announcement = trust.seal('parcel', {
        to: member,
        id,
        expiresAt: clock.now() + OFFERED_MS,
        claims: { length: text.length, hashes },
      })
      const parcel = element('parcel', {}, [announcement.text])
      return element(name, { xmlns: NAMESPACE }, [parcel])
    },

    async unwrap(member, from, timeoutMs) {
      if (!from) throw new Refusal('malformed', 'it has no content')
      const [parcel] = elementsOf(from)
      if (!parcel) return textOf(from)
      if (parcel.name !== 'parcel') throw new Refusal('malformed', 'its content is no envelope')
      return counted(member, () => fetchAll(member, textOf(parcel), timeoutMs))
    },

    piece(member, { attributes: { of = '', number = '' } }) {
      forgetOld()
      const found = offers.get(of)
      const piece = found?.member === member ? found.pieces[Number(number)] : undefined
      if (piece === undefined)
        throw new StanzaError('item-not-found', 'there is no such content for you')
      return element('piece', { xmlns: NAMESPACE }, [piece])
    },
  }
}

function readAnnouncement(claims: Readonly<Record<string, unknown>>) {
  const { length, hashes } = claims
  if (typeof length !== 'number' || !Array.isArray(hashes))
    throw new Refusal('malformed', 'an announced content has no length or hashes')
  if (!(length > 0 && length <= MAX_LENGTH))
    throw new Refusal('too-large', `announces ${length} characters`)
  if (hashes.length !== Math.ceil(length / MAX_INLINE_LENGTH))
    throw new Refusal('bad-content', `announces ${hashes.length} pieces of ${length} characters`)
  return { length, hashes: hashes.map(String) }
}

function cut(text: string): string[] {
  const pieces: string[] = []
  for (let at = 0; at < text.length; at += MAX_INLINE_LENGTH)
    pieces.push(text.slice(at, at + MAX_INLINE_LENGTH))
  return pieces
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url')
}
