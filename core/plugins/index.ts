export type { LivePlugin, PluginCapabilities } from './live-plugin.ts'
export { createPluginHost, type PluginHost } from './plugin-host.ts'
