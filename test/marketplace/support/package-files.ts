import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Path in a package → content. */
export type PackageFiles = Readonly<Record<string, string>>

/** @returns a new folder, which is the caller's to remove */
export function writePackage(files: PackageFiles): string {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-package-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}
