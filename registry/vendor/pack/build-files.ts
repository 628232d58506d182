import { sdkVersion } from '@fogbow/plugin-sdk'
import { createVendorSchemas, type VendorSchemas } from '@fogbow/sandbox/gate'
import { type BuiltPlugin, buildPackage } from '../../build-plugin.ts'
import type { DependencySource } from '../../fetch/dependency-source.ts'
import { toTarball } from '../../fetch/tarball.ts'
import type { PackedFiles } from './packed-files.ts'
import { writeTarball } from './write-tarball.ts'

/**
 * Checks and bundles files as a site does with a tarball of them.
 * @param origin - names them in messages
 * @throws configuration_error as an installation would
 */
export async function buildFiles(
  files: PackedFiles,
  origin: string,
  dependencies: DependencySource,
  schemas?: Pick<VendorSchemas, 'check'>,
): Promise<BuiltPlugin> {
  const tarball = toTarball(writeTarball(files))
  const fetched = { source: origin, sourceKind: 'tarball' as const, tarball, dependencies }
  const own = schemas ? undefined : createVendorSchemas()
  try {
    const options = { sdkVersion, schemas: schemas ?? (own as VendorSchemas) }
    return await buildPackage({ ...fetched, evidence: {} }, options)
  } finally {
    await own?.close()
  }
}
