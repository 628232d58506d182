export { createRegistry, type RegistryOptions } from './create-registry.ts'
export { resolvePackageFolder } from './fetch/package-folder.ts'
export type { InstalledPlugin, Registry } from './registry.ts'
