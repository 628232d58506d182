import { wrong } from './policy.ts'

/** An element holds either text or elements. */
export interface Element {
  name: string
  text: string
  children: Element[]
}

/**
 * Reads the small part of XML 1.0 that policies are written in: elements, text, comments, the five predefined entities
 * and character references. Everything else (attributes, DOCTYPE, CDATA, other entities, other processing
 * instructions than the declaration) is refused, and with it the attacks that live there.
 * @throws configuration_error that says where
 */
export function readXml(source: string): Element {
  const text = source.replace(/^\uFEFF?\s*(<\?xml\s[^<>?]*\?>)?/, '')
  const root: Element = { name: '', text: '', children: [] }
  const open: Element[] = [root]
  for (const [token, comment, name, closing] of text.matchAll(tokens)) {
    const current = open.at(-1) ?? root
    if (comment) continue
    if (closing) close(open, closing)
    else if (name) openElement(open, current, name, token.endsWith('/>'))
    else if (token.startsWith('<')) throw wrong('XML', `'${token.slice(0, 40)}' is not understood`)
    else current.text += decode(token)
    if (open.length > DEEPEST) throw wrong('XML', `is nested more than ${DEEPEST} deep`)
  }
  return onlyElement(open, root)
}

const DEEPEST = 16

/** A comment, an opening or closing tag, text, or else what is not understood. */
const tokens =
  /(<!-{2}(?:(?!--)[\s\S])*-{2}>)|<([A-Za-z_][\w.-]*)\s*\/?>|<\/([A-Za-z_][\w.-]*)\s*>|[^<]+|<[^<]*/g

function openElement(open: Element[], parent: Element, name: string, isEmpty: boolean): void {
  const element = { name, text: '', children: [] }
  parent.children.push(element)
  if (!isEmpty) open.push(element)
}

function close(open: Element[], name: string): void {
  const element = open.pop()
  if (element?.name !== name) throw wrong('XML', `</${name}> closes <${element?.name || '…'}>`)
  if (element.children.length > 0 && element.text.trim())
    throw wrong('XML', `<${name}> holds both elements and the text '${element.text.trim()}'`)
}

function onlyElement(open: Element[], root: Element): Element {
  if (open.length > 1) throw wrong('XML', `<${open.at(-1)?.name}> is not closed`)
  const [element, ...others] = root.children
  if (!element || others.length > 0 || root.text.trim())
    throw wrong('XML', 'must be one element, with nothing beside it')
  return element
}

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function decode(text: string): string {
  return text.replace(/&([^;&\s]*);?/g, (whole, name: string) => {
    const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name) ?? []
    const code = hex ? Number.parseInt(hex, 16) : Number(decimal ?? Number.NaN)
    const isCharacter = code > 0 && code <= 0x10ffff
    const decoded = isCharacter ? String.fromCodePoint(code) : entities[name]
    if (decoded !== undefined && whole.endsWith(';')) return decoded
    throw wrong('XML', `'${whole}' is no character that is known here`)
  })
}
