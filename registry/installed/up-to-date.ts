import { stat } from 'node:fs/promises'
import { type BundleInput, gateVersion } from '@fogbow/sandbox/gate'
import type { InstalledPlugin } from '../registry.ts'
import type { BundleStore } from './bundle-store.ts'

/** Whether the bundle of a folder is still what a build would make; costs one stat per file. */
export async function isUpToDate(plugin: InstalledPlugin, store: BundleStore): Promise<boolean> {
  const build = await store.buildRecord(plugin)
  if (!build || build.source !== plugin.source || build.gateVersion !== gateVersion) return false
  const unchanged = await Promise.all(build.inputs.map(isUnchanged))
  return unchanged.every(Boolean)
}

async function isUnchanged({ path, size, mtimeMs }: BundleInput): Promise<boolean> {
  const now = await stat(path).catch(() => undefined)
  return now !== undefined && now.size === size && now.mtimeMs === mtimeMs
}
