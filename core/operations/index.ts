import { FogbowError } from '@fogbow/plugin-sdk'
import type { AaaPipeline, Audit, LogIns, LoginsElsewhere } from '../aaa/index.ts'
import type { LocalClouds } from '../clouds/index.ts'
import type { SiteConfig } from '../config/index.ts'
import type { SiteMarketplace } from '../marketplace/index.ts'
import type { Engine } from '../orders/index.ts'
import type { PluginHost } from '../plugins/index.ts'
import type { Store } from '../store/index.ts'
import { createAdminOperations } from './admin-operations.ts'
import type { AnySite } from './any-site/index.ts'
import { createDelegationOperations } from './delegation-operations.ts'
import { createGuard } from './guard.ts'
import { createIdempotency } from './idempotency.ts'
import { createLoginOperations } from './login-operations.ts'
import { createMarketplaceOperations } from './marketplace-operations.ts'
import { createEffects } from './once.ts'
import type { FederationReport, MemberOperations, Operations } from './operations.ts'
import { createOrderAccess } from './order-access.ts'
import { createOrderOperations } from './order-operations.ts'
import { createPowerOperations } from './power-operations.ts'
import { createProvidedOperations } from './provided-operations.ts'
import type { Providers } from './providers.ts'
import { createQueryOperations } from './query-operations.ts'
import { createSecurityRuleOperations } from './security-rule-operations.ts'
import { createSiteOperations } from './site-operations.ts'
import { createTokenOperations } from './token-operations.ts'
import { createUserOperations } from './user-operations.ts'

export interface OperationsDeps {
  aaa: AaaPipeline
  audit: Audit
  elsewhere: LoginsElsewhere
  logIns: LogIns
  store: Store
  engine: Engine
  clouds: LocalClouds
  plugins: PluginHost
  providers: Providers
  anySite: AnySite
  marketplace: SiteMarketplace
  config(): SiteConfig
  dataDir(): string
  reload(): Promise<void>
  /** Absent when the site is in no federation. */
  examineFederation?: (() => Promise<FederationReport>) | undefined
  now(): number
  version: string
  startedAt: number
  publicKey: string
}

/** Everything that can be asked of the site, for both edges. */
export function createOperations(deps: OperationsDeps): Operations & MemberOperations {
  const siteId = () => deps.config().site.id
  const settleMs = () => deps.config().orders.settleMs
  const effects = createEffects({ store: deps.store, now: deps.now, settleMs })
  const parts = {
    ...deps,
    siteId,
    defaultProvider: () => deps.config().placement.default,
    providerOf(provider: string, cloudName: string) {
      const found = deps.providers.of(provider)
      const problem = found.cloudProblem(cloudName)
      if (problem === undefined) return found
      throw new FogbowError('not_found', problem.replace('there', 'There'))
    },
    guard: createGuard({ aaa: deps.aaa, audit: deps.audit, siteId, now: deps.now }),
    idempotently: createIdempotency(deps.store, deps.now, effects),
  }
  const orderAccess = createOrderAccess(parts)
  return {
    ...createTokenOperations(parts),
    ...createLoginOperations(parts),
    ...createOrderOperations(parts, orderAccess),
    ...createProvidedOperations(parts, orderAccess),
    ...createPowerOperations(parts, orderAccess),
    ...createDelegationOperations(parts, orderAccess),
    ...createUserOperations(parts, orderAccess),
    ...createSecurityRuleOperations(parts, orderAccess),
    ...createQueryOperations(parts),
    ...createAdminOperations(parts),
    ...createMarketplaceOperations(parts),
    ...createSiteOperations(parts),
  }
}

export type { AnySite } from './any-site/index.ts'
export { createProviders, noRemoteProviders } from './create-providers.ts'
export { createSiteAnySite, placingElsewhere } from './create-site-any-site.ts'
export type { Attempt } from './idempotency.ts'
export type * from './operations.ts'
export type {
  CloudQuery,
  MemberStatus,
  Provider,
  Providers,
  RemoteProviders,
  Rule,
} from './providers.ts'
