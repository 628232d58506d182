import { type Element, STREAM_NAMESPACE } from '../../xmpp/index.ts'
import { createStreamParser } from '../../xmpp/stream-parser.ts'

const limits = { maxBytes: 1_048_576, maxDepth: 32, maxAttributes: 64, maxChildren: 4096 }

/** One stanza as a component reads it. Space between elements is left out, so that examples can be written on lines. */
export function parseStanza(xml: string): Element {
  let parsed: Element | undefined
  const parser = createStreamParser(limits, {
    header() {},
    stanza: (stanza) => {
      parsed = stanza
    },
    refused: (_, limit) => {
      throw new Error(`the stanza is beyond ${limit}`)
    },
    end() {},
  })
  const head = `<stream:stream xmlns='${STREAM_NAMESPACE}' xmlns:stream='http://etherx.jabber.org/streams'>`
  parser.write(Buffer.from(head + xml))
  if (!parsed) throw new Error('no stanza')
  return withoutSpace(parsed)
}

function withoutSpace(of: Element): Element {
  const isMixed = of.children.some((child) => typeof child !== 'string')
  const children = of.children
    .filter((child) => typeof child !== 'string' || !isMixed || child.trim() !== '')
    .map((child) => (typeof child === 'string' ? child : withoutSpace(child)))
  return { ...of, children }
}
