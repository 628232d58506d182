/** Why a request over XMPP brought no result. */
export type XmppErrorKind =
  /** The peer, or a server on the way, answered with a stanza error: see `condition`. An unsigned hint, no proof. */
  | 'stanza'
  /** The link to the own server is down; nothing was sent. */
  | 'offline'
  /** No answer in time. */
  | 'timeout'
  /** The link broke while the call was in flight. */
  | 'disconnected'
  /** The request, or the answer to it, is larger than allowed. */
  | 'too-large'
  /** The request cannot be written as XML; nothing was sent. */
  | 'invalid'
  /** Too much is waiting already for this peer; nothing was sent. */
  | 'busy'
  /** The caller's signal was aborted. */
  | 'aborted'

export interface StanzaErrorFields {
  /** RFC 6120, section 8.3.3, for example `item-not-found` */
  readonly condition: string
  /** RFC 6120, section 8.3.2: auth, cancel, continue, modify or wait */
  readonly type: string
  readonly text: string
}

/**
 * A request that brought no result. When `sent` is true and the kind is not `stanza`, the outcome is unknown: the peer
 * may have executed it, or may do so later.
 */
export class XmppError extends Error implements StanzaErrorFields {
  readonly kind: XmppErrorKind
  /** Whether anything left this process. */
  readonly sent: boolean
  readonly condition: string
  readonly type: string
  readonly text: string

  constructor(
    kind: XmppErrorKind,
    message: string,
    options: { sent: boolean; answer?: StanzaErrorFields },
  ) {
    super(message)
    this.name = 'XmppError'
    this.kind = kind
    this.sent = options.sent
    this.condition = options.answer?.condition ?? ''
    this.type = options.answer?.type ?? ''
    this.text = options.answer?.text ?? ''
  }
}
