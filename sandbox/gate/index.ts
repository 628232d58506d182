export { buildBundle } from './build-bundle.ts'
export type { BuiltBundle, BundleInput, BundleRequest } from './bundle-package.ts'
export { gateVersion } from './gate-version.ts'
export {
  type Completion,
  createVendorSchemas,
  type SchemaProblem,
  type VendorSchemas,
  type VendorSchemasOptions,
} from './vendor-schema.ts'
