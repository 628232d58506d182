import type { AaaPipeline } from '../aaa/index.ts'
import type { LocalClouds } from '../clouds/index.ts'
import type { SiteConfig } from '../config/index.ts'
import type { Engine } from '../orders/index.ts'
import type { PluginHost } from '../plugins/index.ts'
import type { Store } from '../store/index.ts'
import type { Guard } from './guard.ts'
import type { Idempotently } from './idempotency.ts'

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
  /** Members beside this site. */
  members(): readonly string[]
  /** @throws invalid_parameter or not_found for a provider or cloud that is none */
  checkCloud(provider: string, cloudName: string): void
}
