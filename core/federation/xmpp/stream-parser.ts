import { StringDecoder } from 'node:string_decoder'
import { SaxesParser, type SaxesTagPlain } from 'saxes'
import type { Attributes, Element } from './stanza.ts'

export interface StanzaLimits {
  /** As received, whatever it becomes in memory. */
  readonly maxBytes: number
  /** Elements within each other, the stanza itself included. */
  readonly maxDepth: number
  /** Of one element, declarations of namespaces included. */
  readonly maxAttributes: number
  /** Of one element, pieces of text included. */
  readonly maxChildren: number
}

export interface StreamEvents {
  /** The server's `<stream:stream>`. */
  header(attributes: Attributes): void
  /** A child of the stream; `bytes` is its size, as UTF-16 code units of its XML. */
  stanza(stanza: Element, bytes: number): void
  /** A stanza beyond a limit was read to its end and thrown away; `head` is that stanza without content. */
  refused(head: Element, limit: keyof StanzaLimits): void
  /** The server's `</stream:stream>`. */
  end(): void
}

export interface StreamParser {
  /** @throws StreamFault after which the stream cannot be read any further */
  write(chunk: Buffer): void
}

/** What a stream did against RFC 6120; `condition` is one of section 4.9.3. */
export class StreamFault extends Error {
  readonly condition: string

  constructor(condition: string, message: string) {
    super(message)
    this.name = 'StreamFault'
    this.condition = condition
  }
}

/** How far a stanza beyond the limit is read on: servers write longer what peers sent short (`'` as `&apos;`). */
const LONGEST_REFUSED = 8
/**
 * Text that saxes has to look at; it does so character by character, which for long texts costs more than all the rest.
 */
const SPECIAL = /[&\r]|\]\]>|[^\t\n\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u
const STREAMS = 'http://etherx.jabber.org/streams'

interface Building {
  readonly name: string
  readonly namespace: string
  readonly attributes: Attributes
  readonly children: (Element | string)[]
  readonly prefixes: Record<string, string>
}

/**
 * Reads one XMPP stream. Characters may be cut by the border of two chunks; time and memory grow with the bytes
 * received, never faster. What RFC 6120, section 11.1 forbids (comments, processing instructions, DTDs, references to
 * entities of one's own) is a fault of the stream; a stanza beyond a limit is refused alone, so that a peer cannot
 * bring down the link that all share.
 */
export function createStreamParser(limits: StanzaLimits, events: StreamEvents): StreamParser {
  const decoder = new StringDecoder('utf8')
  const xml = new SaxesParser({ xmlns: false, position: false })
  /** Elements that are not complete yet, outermost first; the stream itself is the first one. */
  const open: Building[] = []
  let depth = 0
  let refusal: keyof StanzaLimits | undefined
  /** Bytes of the stanza under way that earlier chunks held. */
  let carriedBytes = 0
  /** Offsets from the start of the stream, in UTF-16 code units. */
  let chunkStart = 0
  let position = 0
  let stanzaStart = 0
  /** The last thing read was the end of a tag. */
  let afterTag = false

  xml.on('opentag', openTag)
  xml.on('closetag', closeTag)
  xml.on('text', text)
  xml.on('cdata', text)
  xml.on('error', ({ message }) => {
    throw new StreamFault('not-well-formed', message)
  })
  for (const forbidden of ['comment', 'processinginstruction', 'doctype'] as const)
    xml.on(forbidden, () => {
      throw new StreamFault('restricted-xml', `the stream holds a ${forbidden}`)
    })

  function openTag(tag: SaxesTagPlain): void {
    depth += 1
    afterTag = true
    if (depth > 2 && refusal) return
    const parent = open.at(-1)
    if (depth > limits.maxDepth + 1) refuse('maxDepth')
    else if (Object.keys(tag.attributes).length > limits.maxAttributes) refuse('maxAttributes')
    else if (depth > 2 && parent && parent.children.length >= limits.maxChildren)
      refuse('maxChildren')
    if (depth > 2 && refusal) return
    const building = start(tag, parent)
    open.push(building)
    if (depth === 1) {
      if (building.name !== 'stream' || building.namespace !== STREAMS)
        throw new StreamFault('invalid-namespace', 'the server opened no XMPP stream')
      events.header(building.attributes)
      startStanza()
    }
  }

  function closeTag(): void {
    depth -= 1
    afterTag = true
    if (depth === 0) events.end()
    if (depth === 0 || (refusal && depth > 1)) return
    const done = open.pop() as Building
    const { name, namespace, attributes } = done
    if (depth > 1) {
      open.at(-1)?.children.push({ name, namespace, attributes, children: done.children })
      return
    }
    const bytes = position - stanzaStart
    const refusedBy = refusal ?? (bytes > limits.maxBytes ? 'maxBytes' : undefined)
    startStanza()
    if (refusedBy) events.refused({ name, namespace, attributes, children: [] }, refusedBy)
    else events.stanza({ name, namespace, attributes, children: done.children }, bytes)
  }

  function text(content: string): void {
    if (refusal) return
    const parent = open.at(-1)
    if (depth < 2 || !parent) {
      if (content.trim() === '') return
      throw new StreamFault('not-well-formed', 'there is text between the stanzas')
    }
    const { children } = parent
    const last = children.at(-1)
    if (typeof last === 'string') children[children.length - 1] = last + content
    else if (children.length >= limits.maxChildren) refuse('maxChildren')
    else children.push(content)
  }

  /** Reads plain text after a tag. @returns where it ends; less than all of it when the rest is for saxes */
  function readText(content: string, from: number): number {
    const next = content.indexOf('<', from)
    const plain = content.slice(from, next < 0 ? content.length : next)
    const special = SPECIAL.test(plain)
    if (special || next >= 0) afterTag = false
    if (special || plain === '') return from
    text(plain)
    return from + plain.length
  }

  /** Reads on to where a tag may end. @returns behind it */
  function readMarkup(content: string, from: number): number {
    const end = content.indexOf('>', from) + 1 || content.length
    position = chunkStart + end
    xml.write(content.slice(from, end))
    return end
  }

  function read(content: string): void {
    let at = 0
    while (at < content.length) at = afterTag ? readText(content, at) : readMarkup(content, at)
  }

  function startStanza(): void {
    refusal = undefined
    carriedBytes = 0
    stanzaStart = position
  }

  function refuse(limit: keyof StanzaLimits): void {
    if (depth === 0 || (depth === 1 && open.length === 0))
      throw new StreamFault('policy-violation', `the head of the stream is beyond ${limit}`)
    refusal ??= limit
    // Of a refused stanza only its head is kept.
    open.length = Math.min(open.length, 2)
    open[1]?.children.splice(0)
  }

  function countBytes(content: string): void {
    const from = Math.max(0, stanzaStart - chunkStart)
    carriedBytes += Buffer.byteLength(from === 0 ? content : content.slice(from))
    if (carriedBytes <= limits.maxBytes) return
    refuse('maxBytes')
    if (carriedBytes > limits.maxBytes * LONGEST_REFUSED)
      throw new StreamFault('policy-violation', `a stanza is longer than ${carriedBytes} bytes`)
  }

  return {
    write(chunk) {
      const content = decoder.write(chunk)
      read(content)
      countBytes(content)
      chunkStart += content.length
    },
  }
}

function start(tag: SaxesTagPlain, parent: Building | undefined): Building {
  const attributes: Record<string, string> = Object.create(null)
  let prefixes = parent?.prefixes ?? Object.create(null)
  for (const name in tag.attributes) {
    const value = tag.attributes[name] ?? ''
    const colon = name.indexOf(':')
    if (colon < 0 && name !== 'xmlns') attributes[name] = value
    else if (name.startsWith('xml:')) attributes[name] = value
    else if (name === 'xmlns' || name.startsWith('xmlns:')) {
      if (prefixes === parent?.prefixes) prefixes = Object.create(prefixes)
      prefixes[name === 'xmlns' ? '' : name.slice('xmlns:'.length)] = value
    }
  }
  const colon = tag.name.indexOf(':')
  const prefix = colon < 0 ? '' : tag.name.slice(0, colon)
  const namespace: unknown = prefixes[prefix] ?? (prefix === '' ? '' : undefined)
  if (typeof namespace !== 'string')
    throw new StreamFault('bad-namespace-prefix', `the prefix '${prefix}' is not declared`)
  return { name: tag.name.slice(colon + 1), namespace, attributes, children: [], prefixes }
}
