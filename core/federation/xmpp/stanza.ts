import { XmppError } from './xmpp-error.ts'

export type Attributes = Readonly<Record<string, string>>

/** An XML element as it travels in a stanza. Never changed once made. */
export interface Element {
  /** Local name, without prefix. */
  readonly name: string
  /** Empty: that of the parent, at the top that of the stream. */
  readonly namespace: string
  /** Without a prototype. Of the attributes with a prefix only those of `xml:` are kept. */
  readonly attributes: Attributes
  readonly children: readonly (Element | string)[]
}

/** Namespace of a component's stream, and of what has none of its own in it (XEP-0114). */
export const STREAM_NAMESPACE = 'jabber:component:accept'

const NAME = /^[A-Za-z_][\w.-]*$/
const ATTRIBUTE_NAME = /^(xml:)?[A-Za-z_][\w.-]*$/
/** What XML 1.0 (section 2.2) cannot carry, lone surrogates included: one such character ends the whole stream. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u
const RESERVED = /[<>&'"\r]/
const RESERVED_IN_ATTRIBUTE = /[<>&'"\r\n\t]/g
const references: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  "'": '&apos;',
  '"': '&quot;',
  '\r': '&#xD;',
  '\n': '&#xA;',
  '\t': '&#x9;',
}

/** @param attributes - `xmlns` names the namespace; those that are undefined are left out */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  children: readonly (Element | string)[] = [],
): Element {
  const kept: Record<string, string> = Object.create(null)
  for (const [key, value] of Object.entries(attributes))
    if (key !== 'xmlns' && value !== undefined) kept[key] = value
  return { name, namespace: attributes.xmlns ?? '', attributes: kept, children }
}

/** Child elements, without the text between them. */
export function elementsOf(parent: Element): Element[] {
  return parent.children.filter((child) => typeof child !== 'string')
}

/** The first child of that local name, whatever its namespace. */
export function childNamed(parent: Element, name: string): Element | undefined {
  return elementsOf(parent).find((child) => child.name === name)
}

/** All children of that local name, whatever their namespace. */
export function childrenNamed(parent: Element, name: string): Element[] {
  return elementsOf(parent).filter((child) => child.name === name)
}

/** The text directly in an element, without that of its children. */
export function textOf(parent: Element): string {
  return parent.children.filter((child) => typeof child === 'string').join('')
}

/** The text of the first child of that local name, if there is such a child. */
export function childText(parent: Element, name: string): string | undefined {
  const child = childNamed(parent, name)
  return child && textOf(child)
}

/**
 * The element as text.
 * @param inherited - namespace at the place where it will stand
 * @throws XmppError `invalid` when a name or a character in it cannot be part of XML
 */
export function serialise(of: Element, inherited: string = STREAM_NAMESPACE): string {
  if (!NAME.test(of.name)) throw unsendable(`'${of.name}' is no name of an element`)
  const namespace = of.namespace || inherited
  let tag = `<${of.name}`
  if (namespace !== inherited) tag += ` xmlns='${escapeAttribute(namespace)}'`
  for (const name in of.attributes) {
    if (!ATTRIBUTE_NAME.test(name)) throw unsendable(`'${name}' is no name of an attribute`)
    tag += ` ${name}='${escapeAttribute(of.attributes[name] ?? '')}'`
  }
  if (of.children.length === 0) return `${tag}/>`
  let content = ''
  for (const child of of.children)
    content += typeof child === 'string' ? escapeText(child) : serialise(child, namespace)
  return `${tag}>${content}</${of.name}>`
}

function escapeText(text: string): string {
  assertSendable(text)
  return RESERVED.test(text)
    ? text.replace(/[<>&'"\r]/g, (character) => references[character] ?? '')
    : text
}

function escapeAttribute(value: string): string {
  assertSendable(value)
  return value.replace(RESERVED_IN_ATTRIBUTE, (character) => references[character] ?? '')
}

function assertSendable(text: string): void {
  const at = text.search(FORBIDDEN)
  if (at < 0) return
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')
  throw unsendable(`XML cannot carry the character U+${code} at position ${at} of a text`)
}

function unsendable(why: string): XmppError {
  return new XmppError('invalid', why, { sent: false })
}
