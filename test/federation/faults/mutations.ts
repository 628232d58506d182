import { type Chance, pick } from '../sites/chance.ts'

/**
 * Something that a stanza becomes in the hands of somebody who means harm, and that servers carry: it is well-formed, as
 * they end the stream of who sends them what is not.
 */
export type Mutation = (stanza: string, chance: Chance) => string

const pieces = [
  ...['.', '..', '=', '+/', '%00', '{', '"', '<', '&', ']]>', '</iq>', '__proto__', 'constructor'],
  ...['\uFFFD', '\r\n', '\t', '🦊', 'eyJ', 'bm9uZQ'],
]
const wholePieces = [
  ...['<a/>'.repeat(300), 'x'.repeat(5000), '<![CDATA[<x>]]>', "<query xmlns='urn:other'/>"],
  ...[`${'<a>'.repeat(40)}${'</a>'.repeat(40)}`, '<parcel>x</parcel>', '<error/>'],
  `<a ${Array.from({ length: 100 }, (_, n) => `a${n}=''`).join(' ')}/>`,
]
const values: readonly unknown[] = [
  ...[null, true, -1, 0, 1e308, '', 'x'.repeat(3000), [], {}, '../../etc', '\u0000', '🦊'],
  ...[{ __proto__: 1, constructor: 1 }, [[[[[]]]]], 'd.site-d.test', 'a.site-a.test', 'none'],
]

/** What changes each part: characters, the tree of elements, the parts of the envelope, the fields of its JSON. */
export const mutations: Readonly<Record<string, Mutation>> = { bytes, tree, envelope, fields }

const CONTENT = />([^<>]{20,})</

/** Of the content: characters put in, left out, doubled, changed. */
function bytes(stanza: string, chance: Chance): string {
  return stanza.replace(CONTENT, (_, content: string) => {
    let text = content
    for (let n = Math.floor(chance() * 4); n >= 0; n -= 1) {
      const at = Math.floor(chance() * text.length)
      const to = Math.min(text.length, at + Math.floor(chance() * 20))
      const cut = text.slice(at, to)
      const any = String.fromCharCode(33 + Math.floor(chance() * 90))
      text =
        text.slice(0, at) +
        pick([pick(pieces, chance), any, cut + cut, ''], chance) +
        text.slice(to)
    }
    return `>${escaped(text === content ? `${text}A` : text)}<`
  })
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Elements put in, and attributes left out or changed. */
function tree(stanza: string, chance: Chance): string {
  const tags = stanza.split(/(?<=>)/)
  const at = 1 + Math.floor(chance() * (tags.length - 1))
  tags.splice(at, 0, pick(wholePieces, chance))
  const text = tags.join('')
  if (chance() < 0.6) return text
  const attribute = / (type|id|from|to|xmlns)='[^']*'/g
  const all = [...text.matchAll(attribute)]
  const { index, 0: found, 1: name } = pick(all, chance)
  const other = pick(['', ` ${name}=''`, ` ${name}='get'`, ` ${name}='ras-b.test'`], chance)
  return text.slice(0, index) + other + text.slice(index + found.length)
}

const ENVELOPE = /[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}/

/** Parts swapped, left out, doubled, cut, or with a character changed. */
function envelope(stanza: string, chance: Chance): string {
  return stanza.replace(ENVELOPE, (text) => {
    const parts = text.split('.')
    const n = Math.floor(chance() * parts.length)
    const part = parts[n] ?? ''
    const at = Math.floor(chance() * part.length)
    const flipped = part[at] === 'A' ? 'B' : 'A'
    const changed = pick(
      [
        parts.toSpliced(n, 1),
        parts.toSpliced(n, 0, part),
        parts.toReversed(),
        parts.with(n, part.slice(0, at)),
        parts.with(n, part.slice(at)),
        parts.with(n, `${part.slice(0, at)}${flipped}${part.slice(at + 1)}`),
        parts.with(n, `${part}${'='.repeat(1 + (at % 3))}`),
        parts.with(n, part.replaceAll('-', '+').replaceAll('_', '/')),
        parts.with(n, ''),
      ],
      chance,
    ).join('.')
    return changed === text ? `${text}A` : changed
  })
}

/** Header or claims with one field other than signed. */
function fields(stanza: string, chance: Chance): string {
  return stanza.replace(ENVELOPE, (text) => {
    const parts = text.split('.')
    const n = chance() < 0.4 ? 0 : 1
    const json = JSON.parse(Buffer.from(parts[n] ?? '', 'base64url').toString())
    const [holder, name] = pick(placesIn(json), chance)
    if (chance() < 0.2) delete holder[name]
    else holder[name] = pick(values, chance)
    parts[n] = Buffer.from(JSON.stringify(json)).toString('base64url')
    const changed = parts.join('.')
    return changed === text ? `${text}A` : changed
  })
}

type Fields = Record<string, unknown>

function placesIn(value: Fields): [Fields, string][] {
  return Object.entries(value).flatMap(([name, inner]): [Fields, string][] => [
    [value, name],
    ...(typeof inner === 'object' && inner !== null ? placesIn(inner as Fields) : []),
  ])
}
