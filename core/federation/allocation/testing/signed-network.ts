import { pino } from 'pino'
import type { EngineClock } from '../../../orders/index.ts'
import type { Store } from '../../../store/index.ts'
import type { DialectName } from '../../dialect.ts'
import { createFederation, type FederationHost } from '../../federation.ts'
import { createJavaDialect } from '../../java/index.ts'
import { defaultFederationSettings, type FederationSettings } from '../../settings.ts'
import { jidOf } from '../../site-jid.ts'
import { createFakeNetwork, type FakeNetwork } from '../../testing/fake-network.ts'
import { makeSiteKeys } from '../../testing/keys.ts'
import { type SiteKeys, writePublicKey } from '../../trust/index.ts'
import { allocationMethods } from '../methods.ts'
import type { Way } from './site-bench.ts'

const log = pino({ level: 'silent' })

/** Sites that reach each other by the real dialects, over servers that a test can make as bad as it likes. */
export interface SignedNetwork extends Way {
  readonly servers: FakeNetwork
}

export function createSignedNetwork(
  ids: readonly string[],
  dialect: DialectName,
  clock: EngineClock,
): SignedNetwork {
  const servers = createFakeNetwork(clock)
  const keys = new Map(ids.map((id) => [id, makeSiteKeys()]))
  const lives = new Map<string, { isOver: boolean; step(): void }>()
  const hosts = new Map<string, FederationHost>()
  const peers = Object.fromEntries(
    [...keys].map(([id, { signing }]) => [id, { keys: [writePublicKey(signing)], dialect }]),
  )
  const settings: FederationSettings = {
    ...defaultFederationSettings,
    members: ids,
    peers,
    unsigned: 'allowed',
  }
  const network: SignedNetwork = {
    servers,
    events: 0,
    busy: 0,
    join(siteId, store: Store) {
      network.leave(siteId)
      const life = {
        isOver: false,
        step() {
          network.events += 1
        },
      }
      lives.set(siteId, life)
      const mortal: EngineClock = {
        ...clock,
        now: clock.now,
        after: (ms, run) => clock.after(ms, () => !life.isOver && run()),
      }
      const host = createFederation({
        component: servers.attach(jidOf(siteId), life),
        store,
        siteId,
        methods: allocationMethods,
        config: () => settings,
        keys: keys.get(siteId) as SiteKeys,
        clock: mortal,
        log,
        dialects: [createJavaDialect()],
      })
      hosts.set(siteId, host)
      return host
    },
    leave(siteId) {
      const life = lives.get(siteId)
      if (life) life.isOver = true
      void hosts.get(siteId)?.stop()
    },
  }
  return network
}
