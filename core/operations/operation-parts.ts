import type { AaaPipeline } from '../aaa/index.ts'
import type { LocalClouds } from '../clouds/index.ts'
import type { SiteConfig } from '../config/index.ts'
import type { Engine } from '../orders/index.ts'
import type { PluginHost } from '../plugins/index.ts'
import type { Store } from '../store/index.ts'
import type { AnySite } from './any-site/index.ts'
import type { Guard } from './guard.ts'
import type { Idempotently } from './idempotency.ts'
import type { Provider, Providers } from './providers.ts'

/** What the operations are made of. */
export interface OperationParts {
  guard: Guard
  idempotently: Idempotently
  store: Store
  engine: Engine
  clouds: LocalClouds
  plugins: PluginHost
  aaa: AaaPipeline
  config(): SiteConfig
  now(): number
  siteId(): string
  providers: Providers
  /** @throws invalid_parameter or not_found for a provider or cloud that is none */
  providerOf(provider: string, cloudName: string): Provider
  anySite: AnySite
  /** Where orders go that name no provider. */
  defaultProvider(): 'local' | 'any'
}
