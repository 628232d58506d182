export { type Clock, systemClock } from './clock.ts'
export {
  createXmppComponent,
  type FlowBounds,
  type XmppComponent,
  type XmppComponentOptions,
  type XmppComponentParts,
} from './component.ts'
export type { LinkReason } from './connection.ts'
export type { XmppCounters } from './counters.ts'
export {
  createPeerDiscovery,
  type DataForm,
  type PeerDiscovery,
  type PeerInfo,
  type SelfDescription,
  serveDiscovery,
} from './discovery.ts'
export type { RequestOptions } from './iq-requests.ts'
export type { IqHandler, ServedIq } from './iq-services.ts'
export { comparableJid, domainOf } from './jid.ts'
export type { LinkListener, LinkState } from './link.ts'
export type { Log } from './log.ts'
export { createRandomIds } from './random-ids.ts'
export {
  childNamed,
  childrenNamed,
  childText,
  type Element,
  element,
  elementsOf,
  STREAM_NAMESPACE,
  serialise,
  textOf,
} from './stanza.ts'
export { StanzaError } from './stanza-error.ts'
export { XmppError, type XmppErrorKind } from './xmpp-error.ts'
