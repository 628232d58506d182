import { join } from 'node:path'
import type { Generation } from '../marketplace.ts'
import { readGeneration } from './lock-file.ts'

/**
 * Settings of plugin instances that were made through the marketplace, as they are in force.
 * @param directory - that of `createRegistry`
 */
export async function installedSettings(directory: string): Promise<Generation['settings']> {
  return (await readGeneration(join(directory, 'plugins.lock.json')))?.settings ?? {}
}
