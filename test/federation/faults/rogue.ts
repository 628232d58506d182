import { readFileSync } from 'node:fs'
import { NAMESPACE } from '../../../core/federation/own/protocol.ts'
import { defaultFederationSettings } from '../../../core/federation/settings.ts'
import { createTrust, openSiteKeys, type SiteKeys } from '../../../core/federation/trust/index.ts'
import { systemClock } from '../../../core/federation/xmpp/index.ts'
import { openSqliteStore } from '../../../core/store/index.ts'

/** Writes what a member would, or what it would not: with its own keys or others, at another time, for somebody else. */
export interface Rogue {
  readonly id: string
  /** A signed request, as text of an envelope. */
  request(method: string, params: object, otherwise?: Otherwise): string
  close(): Promise<void>
}

export interface Otherwise {
  readonly to?: string
  readonly id?: string
  /** From now, ms. */
  readonly expiresInMs?: number
  readonly user?: object
}

export interface RogueOptions {
  readonly id: string
  readonly to: string
  readonly keys: SiteKeys
  /** How far its clock is ahead, ms. */
  readonly aheadMs?: number
}

let count = 0

export async function openRogue({ id, to, keys, aheadMs = 0 }: RogueOptions): Promise<Rogue> {
  const store = await openSqliteStore(':memory:')
  const now = () => Date.now() + aheadMs
  const trust = createTrust({
    siteId: id,
    keys,
    store,
    settings: () => defaultFederationSettings,
    clock: { ...systemClock, now },
    log: { info() {}, warn() {}, error() {} },
  })
  return {
    id,
    request(method, params, otherwise = {}) {
      count += 1
      const { expiresInMs = 60_000, user } = otherwise
      return trust.seal('request', {
        to: otherwise.to ?? to,
        id: otherwise.id ?? `rogue-${String(count).padStart(16, '0')}`,
        expiresAt: Date.now() + expiresInMs,
        claims: { method, params, ...(user && { user }) },
      }).text
    },
    close: () => store.close(),
  }
}

/** The keys that `fogbow federation init` made for a site. */
export function keysIn(dataDir: string): Promise<SiteKeys> {
  return openSiteKeys(dataDir)
}

export function secretIn(file: string): string {
  return readFileSync(file, 'utf8').trim()
}

export function iq(
  { from, to, type = 'set' }: { from: string; to: string; type?: 'get' | 'set' },
  child: string,
): string {
  count += 1
  return `<iq type='${type}' id='rogue-${count}' from='${from}' to='${to}'>${child}</iq>`
}

export function asking(envelope: string): string {
  return `<request xmlns='${NAMESPACE}'>${envelope}</request>`
}

/** An order that a member may well make, for a user of its own. */
export function volumeOf(orderId: string, siteId: string) {
  return {
    params: {
      ...{ orderId, kind: 'volume', cloudName: 'emulated', name: 'a volume' },
      request: { size: 1 },
    },
    user: { id: 'admin', name: 'admin', identityProviderId: siteId, roles: ['user'] },
  }
}
