import { satisfies } from 'semver'
import type { Revocation } from '../marketplace.ts'

/** Whether a revocation is about this very version. */
export function isRevoked(
  plugin: { name: string; version: string; hash: string },
  { package: name, versions, hash }: Revocation,
): boolean {
  if (name !== plugin.name) return false
  if (hash !== undefined && hash !== plugin.hash) return false
  return satisfies(plugin.version, versions, { includePrerelease: true })
}
