import { isAbsolute, resolve } from 'node:path'
import { asFogbowError, FogbowError } from '@fogbow/plugin-sdk'
import { type InstalledPlugin, type Registry, resolvePackageFolder } from '@fogbow/registry'
import type { Bundle } from '@fogbow/sandbox'
import type { LoadedConfig, PluginConfig } from '../config/index.ts'

/**
 * Finds the package of a configuration entry: installed before, or a folder, tarball or package beside the configuration.
 * @throws configuration_error naming the key and what to do
 */
export async function obtainPackage(
  name: string,
  config: PluginConfig,
  loaded: LoadedConfig,
  registry: Registry,
): Promise<{ plugin: InstalledPlugin; bundle: Bundle }> {
  const source = localSource(config.package, loaded.folder)
  try {
    if (source) {
      const before = (await registry.list()).find((plugin) => plugin.source === source)
      return await registry.load((before ?? (await registry.install(source))).name)
    }
    if (await registry.find(config.package)) return await registry.load(config.package)
    const folder = await resolvePackageFolder(config.package, loaded.folder)
    if (folder) return await registry.load((await registry.install(folder)).name)
  } catch (cause) {
    const error = asFogbowError(cause)
    throw new FogbowError('configuration_error', `plugins.${name}: ${error.message}`, { cause })
  }
  throw new FogbowError(
    'configuration_error',
    `plugins.${name}.package: '${config.package}' is not installed; install it with: fogbow plugin install ${config.package}`,
  )
}

function localSource(packageName: string, folder: string): string | undefined {
  if (isAbsolute(packageName)) return packageName
  return packageName.startsWith('./') || packageName.startsWith('../')
    ? resolve(folder, packageName)
    : undefined
}
