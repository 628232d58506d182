import {
  type Clock,
  childNamed,
  childrenNamed,
  childText,
  type Element,
  element,
  StanzaError,
  type XmppComponent,
} from '../../xmpp/index.ts'

/** A rendezvous that does what the original service does, its defects included. */
export interface OriginalRendezvous {
  /** Asks each neighbour once; the original does so each minute. */
  sync(): Promise<void>
  /** Everything is forgotten. */
  restart(): void
  readonly known: ReadonlyMap<string, Known>
}

interface Known {
  readonly lastTime: number
  readonly timeout: number
  readonly cert?: string
}

export interface OriginalRendezvousOptions {
  /** Told to members; without it the answer has no period, and 180000 holds. */
  readonly periodMs?: number
  readonly neighbours?: readonly string[]
  /** Everybody when absent. */
  readonly whiteList?: readonly string[]
  readonly pageLimit?: number
}

const PREFIX = 'http://fogbowcloud.org/rendezvous/'
const LOST_HEARTBEATS = 3
const SYNC_TIMEOUT_MS = 5000

export function createOriginalRendezvous(
  component: XmppComponent,
  clock: Pick<Clock, 'now'>,
  options: OriginalRendezvousOptions = {},
): OriginalRendezvous {
  const { periodMs, neighbours = [], whiteList, pageLimit = 100 } = options
  const known = new Map<string, Known>()

  function sweep(): void {
    for (const [id, { lastTime, timeout }] of known)
      if (lastTime + timeout < clock.now()) known.delete(id)
  }

  /** `set` is found by its name alone; a `set` without `max` is not expected. */
  function page(set: Element | undefined): string[] {
    const ids = [...known.keys()].sort()
    if (!set) return ids.slice(0, pageLimit)
    const max = Number.parseInt(childText(set, 'max') as string, 10)
    if (Number.isNaN(max)) throw new TypeError('max')
    const after = childText(set, 'after')
    if (after !== undefined && !known.has(after)) throw new StanzaError('item-not-found', '')
    const start = after === undefined ? 0 : ids.indexOf(after) + 1
    return ids.slice(start, start + Math.min(max, pageLimit))
  }

  function paging(ids: readonly string[]): Element {
    const [first, last] = [ids[0], ids.at(-1)]
    return element('set', { xmlns: 'http://jabber.org/protocol/rsm' }, [
      ...(first ? [element('first', {}, [first])] : []),
      ...(last ? [element('last', {}, [last])] : []),
      element('count', {}, [String(ids.length)]),
    ])
  }

  const certOf = (id: string) => {
    const cert = known.get(id)?.cert
    return cert === undefined ? [] : [element('cert', {}, [cert])]
  }

  component.serve('get', `${PREFIX}iamalive`, async ({ from, payload }) => {
    const id = from.split('/')[0] ?? ''
    const cert = childText(payload, 'cert')
    if (!whiteList || whiteList.includes(id))
      known.set(id, {
        lastTime: clock.now(),
        timeout: (periodMs ?? 180_000) * LOST_HEARTBEATS,
        ...(cert !== undefined && { cert }),
      })
    const period =
      periodMs === undefined ? [] : [element('iamalive-period', {}, [String(periodMs)])]
    return [element('query', { xmlns: `${PREFIX}iamalive` }, period)]
  })

  component.serve('get', `${PREFIX}whoisalive`, async ({ payload }) => {
    sweep()
    const ids = page(childNamed(payload, 'set'))
    const items = ids.map((id) => element('item', { id }, certOf(id)))
    return [element('query', { xmlns: `${PREFIX}whoisalive` }, [...items, paging(ids)])]
  })

  component.serve('get', `${PREFIX}synch/whoisalive`, async ({ payload }) => {
    const asked = childNamed(payload, 'managers')
    const ids = page(asked && childNamed(asked, 'set'))
    const managers = ids.map((id) => {
      const { lastTime, timeout } = known.get(id) as Known
      const status = element('status', {}, [
        element('timeout', {}, [String(timeout)]),
        element('quiet-for', {}, [String(clock.now() - lastTime)]),
      ])
      return element('manager', { id }, [...certOf(id), status])
    })
    const held = element('managers', {}, [...managers, paging(ids)])
    return [element('query', { xmlns: `${PREFIX}synch/whoisalive` }, [held])]
  })

  function merge(manager: Element): void {
    const status = childNamed(manager, 'status') as Element
    const lastTime = clock.now() - Number(childText(status, 'quiet-for'))
    const { id = '' } = manager.attributes
    const cert = childText(manager, 'cert')
    if ((known.get(id)?.lastTime ?? 0) > lastTime) return
    const timeout = Number(childText(status, 'timeout'))
    known.set(id, { lastTime, timeout, ...(cert !== undefined && { cert }) })
  }

  return {
    known,
    restart: () => known.clear(),
    async sync() {
      for (const neighbour of neighbours)
        try {
          const query = element('query', { xmlns: `${PREFIX}synch/whoisalive` })
          const answer = await component.request(neighbour, 'get', [query], {
            timeoutMs: SYNC_TIMEOUT_MS,
          })
          const held = childNamed(childNamed(answer, 'query') as Element, 'managers') as Element
          for (const manager of childrenNamed(held, 'manager')) merge(manager)
        } catch {
          // The next one; what is not heard of ages.
        }
      sweep()
    },
  }
}
