export { createMarketplace, type MarketplaceOptions } from './create-marketplace.ts'
export { createRegistry, type RegistryOptions } from './create-registry.ts'
export { readNpmrc } from './fetch/npmrc.ts'
export { resolvePackageFolder } from './fetch/package-folder.ts'
export {
  createPackageRegistries,
  type RegistryAccess,
  type RegistryAccesses,
} from './fetch/registries.ts'
export { installedSettings } from './installed/installed-settings.ts'
export * from './marketplace.ts'
export type { AdvisorySource } from './plan/advisories.ts'
export { type CycloneDx, toCycloneDx } from './plan/cyclone-dx.ts'
export type { SettingsByInstance } from './plan/instance-settings.ts'
export type { InstalledPlugin, Registry } from './registry.ts'
