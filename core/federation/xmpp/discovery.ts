import type { Clock } from './clock.ts'
import type { XmppComponent } from './component.ts'
import { comparableJid } from './jid.ts'
import {
  childNamed,
  childrenNamed,
  childText,
  type Element,
  element,
  elementsOf,
  textOf,
} from './stanza.ts'
import { StanzaError } from './stanza-error.ts'

const INFO = 'http://jabber.org/protocol/disco#info'
const ITEMS = 'http://jabber.org/protocol/disco#items'
const VERSION = 'jabber:iq:version'
const FORMS = 'jabber:x:data'
/** What the component answers by itself. */
const OWN_FEATURES = [INFO, ITEMS, VERSION, 'urn:xmpp:ping']

/** What this component says of itself (XEP-0030, XEP-0092, XEP-0128). */
export interface SelfDescription {
  readonly identities: readonly Identity[]
  /** Namespaces and the like; those of discovery, version and ping are added. */
  readonly features: readonly string[]
  readonly forms?: readonly DataForm[]
  readonly software: { readonly name: string; readonly version: string }
}

export interface Identity {
  readonly category: string
  readonly type: string
  readonly name: string
}

/** Further data under a name of its own, `type` (XEP-0128, `FORM_TYPE`). */
export interface DataForm {
  readonly type: string
  readonly fields: Readonly<Record<string, readonly string[]>>
}

export interface PeerInfo {
  readonly identities: readonly Identity[]
  readonly features: ReadonlySet<string>
  readonly forms: readonly DataForm[]
}

/** @param describe - asked each time, so that limits and versions are those of the moment */
export function serveDiscovery(component: XmppComponent, describe: () => SelfDescription): void {
  component.serve('get', INFO, async ({ payload }) => {
    assertNoNode(payload)
    return [toInfo(describe())]
  })
  component.serve('get', ITEMS, async ({ payload }) => {
    assertNoNode(payload)
    return [element('query', { xmlns: ITEMS })]
  })
  component.serve('get', VERSION, async () => {
    const { name, version } = describe().software
    const children = [element('name', {}, [name]), element('version', {}, [version])]
    return [element('query', { xmlns: VERSION }, children)]
  })
}

function assertNoNode({ attributes }: Element): void {
  if (attributes.node)
    throw new StanzaError('item-not-found', `there is no node '${attributes.node}'`)
}

function toInfo({ identities, features, forms = [] }: SelfDescription): Element {
  return element('query', { xmlns: INFO }, [
    ...identities.map((identity) => element('identity', { ...identity })),
    ...new Set([...OWN_FEATURES, ...features])
      .values()
      .map((name) => element('feature', { var: name })),
    ...forms.map(toForm),
  ])
}

function toForm({ type, fields }: DataForm): Element {
  const field = (name: string, values: readonly string[], kind?: string) =>
    element(
      'field',
      { var: name, type: kind },
      values.map((value) => element('value', {}, [value])),
    )
  return element('x', { xmlns: FORMS, type: 'result' }, [
    field('FORM_TYPE', [type], 'hidden'),
    ...Object.entries(fields).map(([name, values]) => field(name, values)),
  ])
}

export interface PeerDiscovery {
  /**
   * What a peer says of itself, from memory if it was asked lately. Unsigned: good for choosing how to speak to it, never
   * for trusting it.
   * @throws XmppError
   */
  ask(jid: string): Promise<PeerInfo>
  /** The next `ask` goes to the peer again. */
  forget(jid: string): void
}

export interface PeerDiscoveryOptions {
  readonly timeoutMs?: number
  /** How long an answer holds. */
  readonly keepMs?: number
  /** Peers remembered at a time; the one asked longest ago is forgotten first. */
  readonly maxPeers?: number
}

export function createPeerDiscovery(
  component: XmppComponent,
  clock: Clock,
  { timeoutMs = 10_000, keepMs = 600_000, maxPeers = 1000 }: PeerDiscoveryOptions = {},
): PeerDiscovery {
  const known = new Map<string, { info: Promise<PeerInfo>; until: number }>()

  function askAnew(peer: string): Promise<PeerInfo> {
    const query = element('query', { xmlns: INFO })
    const info = component
      .request(peer, 'get', [query], { timeoutMs })
      .then((answer) => readInfo(childNamed(answer, 'query')))
    const entry = { info, until: clock.now() + keepMs }
    known.delete(peer)
    known.set(peer, entry)
    info.catch(() => {
      if (known.get(peer) === entry) known.delete(peer)
    })
    for (const oldest of known.keys()) {
      if (known.size <= maxPeers) break
      known.delete(oldest)
    }
    return info
  }

  return {
    async ask(jid) {
      const peer = comparableJid(jid)
      const entry = known.get(peer)
      return entry && entry.until > clock.now() ? entry.info : askAnew(peer)
    },
    forget(jid) {
      known.delete(comparableJid(jid))
    },
  }
}

function readInfo(query: Element | undefined): PeerInfo {
  const children = query ? elementsOf(query) : []
  const named = (name: string) => children.filter((child) => child.name === name)
  return {
    identities: named('identity').map(({ attributes: { category, type, name } }) => ({
      category: category ?? '',
      type: type ?? '',
      name: name ?? '',
    })),
    features: new Set(named('feature').flatMap(({ attributes }) => attributes.var ?? [])),
    forms: named('x')
      .filter(({ namespace }) => namespace === FORMS)
      .map(readForm),
  }
}

function readForm(form: Element): DataForm {
  const fields: Record<string, readonly string[]> = Object.create(null)
  let type = ''
  for (const field of childrenNamed(form, 'field')) {
    const name = field.attributes.var ?? ''
    if (name === 'FORM_TYPE') type = childText(field, 'value') ?? ''
    else fields[name] = childrenNamed(field, 'value').map(textOf)
  }
  return { type, fields }
}
