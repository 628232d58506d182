import { PAGING } from '../federation/membership/index.ts'
import {
  childNamed,
  childText,
  type Element,
  element,
  StanzaError,
  serialise,
} from '../federation/xmpp/index.ts'

/** Bytes of the entries of one page; a stanza may have 48 KiB. */
const MOST_BYTES = 40_000

/**
 * One page of a sorted list (XEP-0059). Older services look for `set` by its name alone and give it no namespace; a `max` that is
 * left out means the limit. `count` is the size of the whole list.
 * @param asked - what holds the `set`, if anything does
 * @param show - an entry as XML
 * @returns the entries and the `set` to answer with
 * @throws StanzaError `item-not-found` when the entry to go on from is not there
 */
export function pageOf<Item extends { readonly id: string }>(
  list: readonly Item[],
  asked: Element | undefined,
  limit: number,
  show: (item: Item) => Element,
): readonly Element[] {
  const set = asked && childNamed(asked, 'set')
  const size = Math.min(limit, readMax(set) ?? limit)
  const { start, end, isBackward } = rangeOf(list, set, size)
  const wanted = list.slice(start, end)
  const fitting = fit(isBackward ? wanted.toReversed() : wanted, show)
  const from = isBackward ? end - fitting.length : start
  const items = list.slice(from, from + fitting.length)
  return [...(isBackward ? fitting.toReversed() : fitting), toSet(items, from, list.length)]
}

function fit<Item>(items: readonly Item[], show: (item: Item) => Element): Element[] {
  const fitting: Element[] = []
  let bytes = 0
  for (const item of items) {
    const shown = show(item)
    bytes += Buffer.byteLength(serialise(shown))
    if (bytes > MOST_BYTES && fitting.length > 0) break
    fitting.push(shown)
  }
  return fitting
}

function readMax(set: Element | undefined): number | undefined {
  const text = (set && childText(set, 'max'))?.trim()
  if (!text) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new StanzaError('bad-request', 'the size of a page is no number')
}

function rangeOf(
  list: readonly { readonly id: string }[],
  set: Element | undefined,
  size: number,
): { start: number; end: number; isBackward: boolean } {
  if (set && childNamed(set, 'index'))
    throw new StanzaError('feature-not-implemented', 'pages are asked for by after or before')
  const before = set && childText(set, 'before')
  if (before !== undefined) {
    const end = before === '' ? list.length : placeOf(list, before)
    return { start: Math.max(0, end - size), end, isBackward: true }
  }
  const after = set && childText(set, 'after')
  const start = after ? placeOf(list, after) + 1 : 0
  return { start, end: Math.min(list.length, start + size), isBackward: false }
}

function placeOf(list: readonly { readonly id: string }[], id: string): number {
  const place = list.findIndex((item) => item.id === id)
  if (place >= 0) return place
  throw new StanzaError('item-not-found', `${id.slice(0, 255)} is not in the list: begin anew`)
}

function toSet(items: readonly { readonly id: string }[], start: number, count: number): Element {
  const [first, last] = [items[0], items.at(-1)]
  return element('set', { xmlns: PAGING }, [
    ...(first ? [element('first', { index: String(start) }, [first.id])] : []),
    ...(last ? [element('last', {}, [last.id])] : []),
    element('count', {}, [String(count)]),
  ])
}
