import { openWire, type Wire, type WireOptions } from './wire.ts'

/** A stanza on the link between a site and its own server. */
export interface Passing {
  readonly xml: string
  /** `out`: said by the site. */
  readonly direction: 'out' | 'in'
  readonly type: 'get' | 'set' | 'result' | 'error'
  readonly id: string
  readonly from: string
  readonly to: string
  /** Of the signed envelope: what is asked, of a request. */
  readonly method: string | undefined
}

/** @returns what passes in its place: nothing, the same, several, something else */
export type StanzaRule = (stanza: Passing) => readonly string[] | Promise<readonly string[]>

export interface StanzaWire extends Wire {
  /** Whatever comes by is shown to the rule from now on; without one all passes. */
  obey(rule: StanzaRule | undefined): void
}

const IQ = /<iq\b[^>]*?(?:\/>|>.*?<\/iq>)/s
/** An iq that is not whole yet, or a tag of which nobody knows yet what it will be. */
const UNFINISHED = /<iq\b|<[^>]*$/
const ENVELOPE = /<request xmlns=['"]urn:fogbow:federation:1['"]>([^<]+)</

/** A wire that knows where a stanza ends: it can lose one, repeat it, hold it back or put another in its place. */
export async function openStanzaWire(options: Omit<WireOptions, 'reader'>): Promise<StanzaWire> {
  let rule: StanzaRule | undefined
  const wire = await openWire({
    ...options,
    reader(direction, write) {
      let rest = ''
      // One character for each byte, so that what is cut between two of them stays whole.
      const pass = (text: string) => void (text && write(Buffer.from(text, 'latin1')))

      function decide(xml: string): void {
        const verdict = rule?.(read(xml, direction)) ?? [xml]
        if (verdict instanceof Promise) void verdict.then((texts) => texts.forEach(pass))
        else verdict.forEach(pass)
      }

      return (chunk) => {
        rest += chunk.toString('latin1')
        for (let found = IQ.exec(rest); found; found = IQ.exec(rest)) {
          pass(rest.slice(0, found.index))
          decide(found[0])
          rest = rest.slice(found.index + found[0].length)
        }
        const open = rest.search(UNFINISHED)
        const end = open < 0 ? rest.length : open
        pass(rest.slice(0, end))
        rest = rest.slice(end)
      }
    },
  })
  return {
    ...wire,
    obey(next) {
      rule = next
    },
  }
}

function read(xml: string, direction: Passing['direction']): Passing {
  const head = xml.slice(0, xml.indexOf('>'))
  const attribute = (name: string) =>
    new RegExp(`\\b${name}=['"]([^'"]*)['"]`).exec(head)?.[1] ?? ''
  return {
    xml,
    direction,
    type: attribute('type') as Passing['type'],
    id: attribute('id'),
    from: attribute('from'),
    to: attribute('to'),
    method: methodOf(xml),
  }
}

function methodOf(xml: string): string | undefined {
  const payload = ENVELOPE.exec(xml)?.[1]?.split('.')[1]
  if (!payload) return undefined
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString()).method
  } catch {
    return undefined
  }
}
