import { FogbowError } from '@fogbow/plugin-sdk'
import type { AaaPipeline, Audit } from '../aaa/index.ts'
import type { LocalClouds } from '../clouds/index.ts'
import type { SiteConfig } from '../config/index.ts'
import type { Engine } from '../orders/index.ts'
import type { PluginHost } from '../plugins/index.ts'
import type { Store } from '../store/index.ts'
import { createAdminOperations } from './admin-operations.ts'
import { createGuard } from './guard.ts'
import { createIdempotency } from './idempotency.ts'
import type { Operations } from './operations.ts'
import { createOrderAccess } from './order-access.ts'
import { createOrderOperations } from './order-operations.ts'
import { checkProvider } from './placement.ts'
import { createPowerOperations } from './power-operations.ts'
import { createQueryOperations } from './query-operations.ts'
import { createSecurityRuleOperations } from './security-rule-operations.ts'
import { createSiteOperations } from './site-operations.ts'
import { createTokenOperations } from './token-operations.ts'
import { createUserOperations } from './user-operations.ts'

export interface OperationsDeps {
  aaa: AaaPipeline
  audit: Audit
  store: Store
  engine: Engine
  clouds: LocalClouds
  plugins: PluginHost
  config(): SiteConfig
  dataDir(): string
  reload(): Promise<void>
  now(): number
  version: string
  startedAt: number
  publicKey: string
}

/** Everything that can be asked of the site, for both edges. */
export function createOperations(deps: OperationsDeps): Operations {
  const siteId = () => deps.config().site.id
  const members = () => deps.config().members.list
  const parts = {
    ...deps,
    siteId,
    members,
    guard: createGuard({ aaa: deps.aaa, audit: deps.audit, siteId, now: deps.now }),
    idempotently: createIdempotency(deps.store, deps.now),
    checkCloud(provider: string, cloudName: string) {
      checkProvider(provider, { siteId, members })
      if (deps.clouds.has(cloudName)) return
      throw new FogbowError(
        'not_found',
        `There is no cloud '${cloudName}' at ${provider}; clouds are ${deps.clouds.names().join(', ')}`,
      )
    },
  }
  const orderAccess = createOrderAccess(parts)
  return {
    ...createTokenOperations(parts),
    ...createOrderOperations(parts, orderAccess),
    ...createPowerOperations(parts, orderAccess),
    ...createUserOperations(parts, orderAccess),
    ...createSecurityRuleOperations(parts),
    ...createQueryOperations(parts),
    ...createAdminOperations(parts),
    ...createSiteOperations(parts),
  }
}

export type * from './operations.ts'
