export { defineConfig, type WrittenConfig } from './define-config.ts'
export { type IdentitySource, identitySources, sourceKey, sourceSlots } from './identity-sources.ts'
export { type ConfigSource, type LoadedConfig, loadConfig, resolveReference } from './load.ts'
export { addressRangeProblem, grantProblem, noProxyProblem } from './network-values.ts'
export type {
  FederationConfig,
  NetworkConfig,
  OrderTiming,
  PluginConfig,
  SiteConfig,
} from './schema.ts'
export { readSecret } from './secrets.ts'
