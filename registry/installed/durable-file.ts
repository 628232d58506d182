import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces a file so that after a crash it holds either the old text or the new one, on disk. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.next`
  await writeSynced(next, text)
  await rename(next, path)
  await syncFolder(dirname(path))
}

export async function writeSynced(path: string, text: string): Promise<void> {
  await using file = await open(path, 'w', 0o600)
  await file.writeFile(text)
  await file.sync()
}

/** Makes renames and new entries in a folder outlast a power failure. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}
