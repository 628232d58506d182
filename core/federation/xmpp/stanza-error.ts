import { errorCatalogue, isErrorCode } from '@fogbow/plugin-sdk'
import { childNamed, childText, type Element, element, elementsOf } from './stanza.ts'
import type { StanzaErrorFields } from './xmpp-error.ts'

const STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
const LONGEST_TEXT = 1024

/** Condition → its type (RFC 6120, section 8.3.3) and the number that older peers read (XEP-0086). */
const conditions: Readonly<Record<string, readonly [type: string, code: number]>> = {
  'bad-request': ['modify', 400],
  conflict: ['cancel', 409],
  'feature-not-implemented': ['cancel', 501],
  forbidden: ['auth', 403],
  'internal-server-error': ['wait', 500],
  'item-not-found': ['cancel', 404],
  'not-acceptable': ['modify', 406],
  'not-allowed': ['cancel', 405],
  'not-authorized': ['auth', 401],
  'policy-violation': ['modify', 413],
  'remote-server-not-found': ['cancel', 404],
  'remote-server-timeout': ['wait', 504],
  'resource-constraint': ['wait', 500],
  'service-unavailable': ['cancel', 503],
  'undefined-condition': ['wait', 500],
}

/** Thrown by a handler to answer with this stanza error. */
export class StanzaError extends Error {
  readonly condition: string

  /** @param condition - one of RFC 6120, section 8.3.3 */
  constructor(condition: string, text: string) {
    super(text)
    this.name = 'StanzaError'
    this.condition = condition
  }
}

/** The `<error/>` of an answer. */
export function errorElement(error: StanzaError): Element {
  const condition = conditions[error.condition] ? error.condition : 'undefined-condition'
  const [type, code] = conditions[condition] ?? ['wait', 500]
  return element('error', { type, code: String(code) }, [
    element(condition, { xmlns: STANZAS }),
    element('text', { xmlns: STANZAS }, [sendable(error.message)]),
  ])
}

/** What an answer of type `error` says; what it leaves out reads as `undefined-condition`, `cancel` and no text. */
export function readStanzaError(answer: Element): StanzaErrorFields {
  const error = childNamed(answer, 'error')
  const condition = error && elementsOf(error).find(({ name }) => name !== 'text')?.name
  return {
    condition: condition ?? 'undefined-condition',
    type: error?.attributes.type ?? 'cancel',
    text: (error && childText(error, 'text')) ?? '',
  }
}

/** What a handler threw, as the peer may see it: the inside of a defect stays inside. */
export function toStanzaError(thrown: unknown): StanzaError {
  if (thrown instanceof StanzaError) return thrown
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  if (isErrorCode(code) && code !== 'internal_error')
    return new StanzaError(errorCatalogue[code].condition, (thrown as Error).message)
  return new StanzaError('internal-server-error', 'this site could not answer')
}

/** Messages may quote what a user sent; XML cannot carry all of it. */
function sendable(text: string): string {
  return text
    .slice(0, LONGEST_TEXT)
    .toWellFormed()
    .replace(/[^\t\n\r\u{20}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}')
}
