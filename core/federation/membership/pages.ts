import {
  childNamed,
  childrenNamed,
  childText,
  type Element,
  element,
  type XmppComponent,
  XmppError,
} from '../xmpp/index.ts'
import { extended, ownChild, PAGING, queryOf, SYNC, WHO_IS_ALIVE } from './protocol.ts'

/** A list that a rendezvous gives in pages. */
export interface Listing {
  readonly namespace: string
  /** Of one entry; its `id` names it. */
  readonly entry: string
  /** Element within the query that holds entries and paging, if there is one between. */
  readonly within?: string
}

export const whoIsAlive: Listing = { namespace: WHO_IS_ALIVE, entry: 'item' }
export const synchronisation: Listing = { namespace: SYNC, entry: 'manager', within: 'managers' }

export interface WholeList {
  readonly entries: readonly Element[]
  readonly kind: 'own' | 'original'
  /** Who is not in it is gone. A rendezvous that has just started cannot say so, and the original never does. */
  readonly isSettled: boolean
}

const PAGE = 100
const MOST_PAGES = 1000
const MOST_ENTRIES = 20_000
const MOST_RESTARTS = 3

/**
 * Reads a list to its end, which only an empty page shows: of the original, a full page may be the last one, its limit is not
 * known here, and its `count` is the size of the page.
 * @throws XmppError when a page does not come, Error when one is not as it should be
 */
export async function readAllPages(
  component: XmppComponent,
  jid: string,
  listing: Listing,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<WholeList> {
  for (let restarts = 0; ; restarts += 1)
    try {
      return await readOnce(component, jid, listing, options)
    } catch (error) {
      // The entry after which it was asked expired meanwhile.
      const isLost = error instanceof XmppError && error.condition === 'item-not-found'
      if (!isLost || restarts === MOST_RESTARTS) throw error
    }
}

async function readOnce(
  component: XmppComponent,
  jid: string,
  listing: Listing,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<WholeList> {
  const entries = new Map<string, Element>()
  let after: string | undefined
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const answer = await component.request(jid, 'get', [question(listing, after)], options)
    const page = readPage(jid, listing, answer)
    const before = entries.size
    for (const [id, entry] of page.entries) entries.set(id, entry)
    if (page.entries.length === 0 || !page.last) return { ...page, entries: [...entries.values()] }
    if (entries.size === before) throw new Error(`${jid} gives the same page again and again`)
    if (entries.size > MOST_ENTRIES) break
    after = page.last
  }
  throw new Error(`${jid} lists more than ${MOST_ENTRIES} members, or does not come to an end`)
}

function question({ namespace, within }: Listing, after: string | undefined): Element {
  const set = element('set', { xmlns: PAGING }, [
    element('max', {}, [String(PAGE)]),
    ...(after === undefined ? [] : [element('after', {}, [after])]),
  ])
  const paging = within ? element(within, {}, [set]) : set
  return element('query', { xmlns: namespace }, [paging, extended()])
}

function readPage(jid: string, { namespace, entry, within }: Listing, answer: Element) {
  const query = queryOf(answer)
  const held = within && query ? childNamed(query, within) : query
  if (!query || !held || query.namespace !== namespace)
    throw new Error(`${jid} answered with something else than a list of members`)
  const entries = childrenNamed(held, entry).map((child): [string, Element] => {
    if (child.attributes.id) return [child.attributes.id, child]
    throw new Error(`${jid} lists a member without an id`)
  })
  const set = childNamed(held, 'set')
  const own = ownChild(query, 'extended')
  return {
    entries,
    // Without paging it was all there is.
    last: set && (childText(set, 'last') || entries.at(-1)?.[0]),
    kind: own ? ('own' as const) : ('original' as const),
    isSettled: own?.attributes.settled === 'true',
  }
}
