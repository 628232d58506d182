import { open, stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { invalid } from '@fogbow/plugin-sdk'
import parseSpecifier from 'npm-package-arg'

/** Where a plugin is to be taken from. */
export type SourceKind = 'folder' | 'tarball' | 'bundle file' | 'npm'

/** Tells what kind of place a plugin is to be taken from. */
export async function sourceKind(source: string): Promise<SourceKind> {
  if (isAbsolute(source)) return kindOfPath(source)
  packageNameOf(source)
  return 'npm'
}

/**
 * The package that an npm specifier is about; empty for a path.
 * @throws invalid_parameter for what is neither
 */
export function packageNameOf(source: string): string {
  if (isAbsolute(source)) return ''
  try {
    const { registry, name, type } = parseSpecifier(source)
    if (registry && name && type !== 'alias') return name
  } catch (error) {
    throw invalid('source', `'${source}' is no npm specifier: ${(error as Error).message}`)
  }
  const expected = 'an absolute folder, an absolute .tgz file, or a package of an npm registry'
  throw invalid('source', `'${source}' must be ${expected}, such as '@vendor/plugin@^1.0.0'`)
}

/** A bundle file may name one of its packages behind a `#`. */
export function splitBundleSource(source: string): { file: string; packageName?: string } {
  const at = source.lastIndexOf('#')
  if (at === -1) return { file: source }
  return { file: source.slice(0, at), packageName: source.slice(at + 1) }
}

async function kindOfPath(path: string): Promise<Exclude<SourceKind, 'npm'>> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) return 'folder'
  if (found?.isFile()) return (await isCompressed(path)) ? 'tarball' : 'bundle file'
  const { file, packageName } = splitBundleSource(path)
  const isFile = packageName !== undefined && (await stat(file).catch(() => undefined))?.isFile()
  if (isFile) return 'bundle file'
  if (found) throw invalid('source', `'${path}' is neither a folder nor a file`)
  throw invalid('source', `'${path}' does not exist or cannot be read`)
}

/** Tarballs of packages are compressed, and bundle files are not, for they hold what already is. */
async function isCompressed(path: string): Promise<boolean> {
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0)
  return bytesRead < 512 || !buffer.subarray(257, 262).equals(Buffer.from('ustar'))
}
