import { randomBytes } from 'node:crypto'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { Clock } from '../xmpp/index.ts'

/** Part of a list, and the cursor with which the following part is asked for; absent on the last. */
export interface ListPage {
  readonly items: readonly unknown[]
  readonly next?: string
}

/**
 * Hands out long lists page by page. What was not fetched yet is kept as it was when it was asked for, so that no page
 * misses or repeats anything, and nobody is asked for it again.
 */
export interface Pages {
  /** The first page; all at once when too much is kept already. @param limit - items that the member takes at a time */
  first(member: string, items: readonly unknown[], limit: number): ListPage
  /** @throws not_found when the list is not kept any more, or is another member's */
  following(member: string, cursor: string): ListPage
}

const KEPT_MS = 60_000
/** With its signature a page fits into a stanza. */
const PAGE_BYTES = 30_000
const MOST_ITEMS = 1000
const MOST_KEPT_BYTES = { ofMember: 8 * 1024 * 1024, ofAll: 32 * 1024 * 1024 }

interface KeptList {
  readonly member: string
  readonly items: readonly unknown[]
  readonly bytes: number
  readonly limit: number
  readonly until: number
}

export function createPages(clock: Clock): Pages {
  const kept = new Map<string, KeptList>()

  function forgetOld(): void {
    for (const [id, { until }] of kept) if (until <= clock.now()) kept.delete(id)
  }

  function hasRoom(member: string, bytes: number): boolean {
    const sum = (some: Iterable<KeptList>) => [...some].reduce((total, one) => total + one.bytes, 0)
    const ofMember = kept.values().filter((one) => one.member === member)
    return (
      sum(ofMember) + bytes <= MOST_KEPT_BYTES.ofMember &&
      sum(kept.values()) + bytes <= MOST_KEPT_BYTES.ofAll
    )
  }

  /** @returns where the page ends that begins there; it has one item at least */
  function endOf({ items, limit }: Pick<KeptList, 'items' | 'limit'>, from: number): number {
    let end = from
    for (let bytes = 0; end < items.length && end - from < limit; end += 1) {
      bytes += sizeOf(items[end])
      if (bytes > PAGE_BYTES && end > from) break
    }
    return end
  }

  function pageOf(id: string, list: KeptList, from: number): ListPage {
    const end = endOf(list, from)
    const items = list.items.slice(from, end)
    if (end < list.items.length) return { items, next: `${id}.${end}` }
    return { items }
  }

  return {
    first(member, items, wanted) {
      forgetOld()
      const limit = Math.min(Math.max(wanted, 1), MOST_ITEMS)
      const end = endOf({ items, limit }, 0)
      if (end === items.length) return { items }
      const bytes = items.reduce<number>((total, item) => total + sizeOf(item), 0)
      if (!hasRoom(member, bytes)) return { items }
      const id = randomBytes(16).toString('base64url')
      const list = { member, items, bytes, limit, until: clock.now() + KEPT_MS }
      kept.set(id, list)
      return pageOf(id, list, 0)
    },

    following(member, cursor) {
      forgetOld()
      const [id = '', from] = cursor.split('.')
      const list = kept.get(id)
      const at = Number(from)
      if (
        list?.member !== member ||
        !(Number.isSafeInteger(at) && at > 0 && at < list.items.length)
      )
        throw new FogbowError('not_found', 'that list is not kept any more; ask for it anew')
      return pageOf(id, list, at)
    },
  }
}

function sizeOf(item: unknown): number {
  return Buffer.byteLength(JSON.stringify(item) ?? 'null') + 1
}
