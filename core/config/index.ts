export { defineConfig, type WrittenConfig } from './define-config.ts'
export { type ConfigSource, type LoadedConfig, loadConfig, resolveReference } from './load.ts'
export type { OrderTiming, PluginConfig, SiteConfig } from './schema.ts'
export { readSecret } from './secrets.ts'
