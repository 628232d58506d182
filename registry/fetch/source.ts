import { stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { invalid } from '@fogbow/plugin-sdk'
import parseSpecifier from 'npm-package-arg'
import type { InstalledPlugin } from '../registry.ts'

/** Tells what kind of place a plugin is to be taken from. */
export async function sourceKind(source: string): Promise<InstalledPlugin['sourceKind']> {
  if (isAbsolute(source)) return kindOfPath(source)
  try {
    const { registry, name } = parseSpecifier(source)
    if (registry && name) return 'npm'
  } catch (error) {
    throw invalid('source', `'${source}' is no npm specifier: ${(error as Error).message}`)
  }
  const expected = 'an absolute folder, an absolute .tgz file, or a package of an npm registry'
  throw invalid('source', `'${source}' must be ${expected}, such as '@vendor/plugin@^1.0.0'`)
}

async function kindOfPath(path: string): Promise<'folder' | 'tarball'> {
  const found = await stat(path).catch(() => undefined)
  if (!found) throw invalid('source', `'${path}' does not exist or cannot be read`)
  if (found.isDirectory()) return 'folder'
  if (found.isFile()) return 'tarball'
  throw invalid('source', `'${path}' is neither a folder nor a file`)
}
