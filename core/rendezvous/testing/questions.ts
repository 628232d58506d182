import {
  I_AM_ALIVE,
  makeHeartbeat,
  OWN,
  PAGING,
  WHO_IS_ALIVE,
} from '../../federation/membership/index.ts'
import type { SiteKeys } from '../../federation/trust/index.ts'
import {
  childNamed,
  childrenNamed,
  childText,
  type Element,
  element,
  type XmppComponent,
  XmppError,
} from '../../federation/xmpp/index.ts'
import type { createRendezvousBench } from './rendezvous-bench.ts'

export const R1 = 'rendezvous-1.test'
export const R2 = 'rendezvous-2.test'
export const A = 'ras-a.test'
export const B = 'ras-b.test'
export const unsigned = { unsigned: 'allowed' } as const
/** Self-signed, of nobody; valid until 2126. */
export const CERTIFICATE =
  'MIIBTDCB/6ADAgECAhR1oPA8dk6wmZ3f0UWxO1fUXD6MOjAFBgMrZXAwGzEZMBcGA1UEAwwQbWFuYWdlci5vcmlnaW5hbDAgFw0yNjExMjIxMTAwMjVaGA8yMTI2MTAyOTExMDAyNVowGzEZMBcGA1UEAwwQbWFuYWdlci5vcmlnaW5hbDAqMAUGAytlcAMhADNYYTfgMDJJk1xFu3P7Si15Eg2kDrVBAIRVAM4VjK7ho1MwUTAdBgNVHQ4EFgQUgeV7bkQIcT1jEoC+GCh+TGnhkWMwHwYDVR0jBBgwFoAUgeV7bkQIcT1jEoC+GCh+TGnhkWMwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQBAQssqByxoes5Y6w1+9vUExvXKr5iva2clDPfMDSO4ECa9mxUr5F7MZ75OtM5P7wxw6wIvoryhwllpKq20rgQF'

export const refused = (condition: string) => (error: unknown) =>
  error instanceof XmppError && error.condition === condition

export function question(namespace: string, children: Element[] = []): Element[] {
  return [element('query', { xmlns: namespace }, children)]
}

export const set = (fields: Record<string, string>, xmlns: string | undefined = PAGING) =>
  element(
    'set',
    { xmlns },
    Object.entries(fields).map(([name, text]) => element(name, {}, [text])),
  )

export type Bench = ReturnType<typeof createRendezvousBench>

export const ask = (bench: Bench, from: XmppComponent, to: string, children: Element[]) =>
  bench.settled(from.request(to, 'get', children, { timeoutMs: 1000 }))

export const signedBeat = (from: string, to: string, keys: SiteKeys, now: number) =>
  question(I_AM_ALIVE, [element('heartbeat', { xmlns: OWN }, [makeHeartbeat(from, to, keys, now)])])

export async function idsAt(bench: Bench, from: XmppComponent, to: string, fields = {}) {
  const query = childNamed(
    await ask(bench, from, to, question(WHO_IS_ALIVE, [set(fields)])),
    'query',
  )
  const items = childrenNamed(query as Element, 'item').map(({ attributes }) => attributes.id)
  const paging = childNamed(query as Element, 'set') as Element
  return { items, last: childText(paging, 'last'), count: childText(paging, 'count') }
}
