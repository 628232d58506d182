import {
  childNamed,
  childrenNamed,
  childText,
  type Element,
  element,
  type XmppComponent,
} from '../../xmpp/index.ts'

/** A member that does what the original manager does: signs nothing, and reads one page. */
export interface OriginalMember {
  /** @returns the period that it would take */
  beat(certificate?: string): Promise<number>
  list(max?: number): Promise<string[]>
}

const PREFIX = 'http://fogbowcloud.org/rendezvous/'
const TIMEOUT_MS = 15_000
const PERIOD_MS = 30_000

export function createOriginalMember(component: XmppComponent, rendezvous: string): OriginalMember {
  async function ask(name: string, children: Element[]): Promise<Element> {
    const query = element('query', { xmlns: PREFIX + name }, children)
    const answer = await component.request(rendezvous, 'get', [query], { timeoutMs: TIMEOUT_MS })
    return childNamed(answer, 'query') as Element
  }

  return {
    async beat(certificate) {
      const cert = certificate === undefined ? [] : [element('cert', {}, [certificate])]
      const period = Number(childText(await ask('iamalive', cert), 'iamalive-period'))
      return Number.isNaN(period) || period === 0 ? PERIOD_MS : period
    },
    // Its `set` has the namespace of the query.
    async list(max = 100) {
      const set = element('set', {}, [element('max', {}, [String(max)])])
      const answer = await ask('whoisalive', [set])
      return childrenNamed(answer, 'item').map(({ attributes: { id = '' } }) => id)
    },
  }
}
