export type { InstalledPlugin, Registry } from './registry.ts'
