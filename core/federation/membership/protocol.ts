import { childNamed, type Element, element } from '../xmpp/index.ts'

/** Heartbeat of a member, answered with the period that the rendezvous wants. Like all of this, an IQ of type `get`. */
export const I_AM_ALIVE = 'http://fogbowcloud.org/rendezvous/iamalive'
/** A member asks for the members that are alive. */
export const WHO_IS_ALIVE = 'http://fogbowcloud.org/rendezvous/whoisalive'
/** A rendezvous asks another for the members that are alive, and for how long each has been quiet. */
export const SYNC = 'http://fogbowcloud.org/rendezvous/synch/whoisalive'
/** Paging (XEP-0059). */
export const PAGING = 'http://jabber.org/protocol/rsm'
/**
 * What we add. Those who do not know it pass it over: they look for children by name.
 * - `heartbeat` in a heartbeat: the same, signed by the member.
 * - `extended` in a question: the answer may hold what follows. In an answer: the rendezvous is of our kind.
 * - `statement` in an `item`: the rendezvous states, signed, that this is a member and which keys it has.
 * - `heartbeat` in a `manager`: what the member itself signed last.
 */
export const OWN = 'urn:fogbow:rendezvous:1'

const LONGEST_JID = 255
const JID = /^([^\s@/<>&'"]+@)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/

/** Whether it can be the id of a member, as a rendezvous knows it: a JID without resource, in lower case. */
export function isMemberJid(text: string): boolean {
  return text.length <= LONGEST_JID && JID.test(text)
}

/** Who a stanza is from, as a rendezvous names it. */
export function bareJid(from: string): string {
  const slash = from.indexOf('/')
  return (slash < 0 ? from : from.slice(0, slash)).toLowerCase()
}

/** The child of a question or an answer that holds all the rest; of any namespace, as older services leave it out. */
export function queryOf(iq: Element): Element | undefined {
  return childNamed(iq, 'query')
}

/** A child that only our kind sends. */
export function ownChild(parent: Element, name: string): Element | undefined {
  const child = childNamed(parent, name)
  return child?.namespace === OWN ? child : undefined
}

export function extended(isSettled?: boolean): Element {
  return element('extended', { xmlns: OWN, settled: isSettled?.toString() })
}
