import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Header } from 'tar'
import type { Tarball } from '../fetch/tarball.ts'
import { syncFolder } from '../installed/durable-file.ts'
import { type BundleIndex, indexName, tarballName } from './bundle-index.ts'

const BLOCK_BYTES = 512

/** Writes the whole file or, when anything fails, none. */
export async function writeBundleFile(
  path: string,
  index: BundleIndex,
  tarballs: Iterable<Tarball>,
): Promise<void> {
  const part = `${path}.part`
  try {
    await writeEntries(part, entriesOf(index, tarballs))
    await rename(part, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

function* entriesOf(
  index: BundleIndex,
  tarballs: Iterable<Tarball>,
): Generator<[name: string, content: Buffer]> {
  yield [indexName, Buffer.from(`${JSON.stringify(index, undefined, 2)}\n`)]
  const written = new Set<string>()
  for (const { integrity, bytes } of tarballs) {
    if (written.has(integrity)) continue
    written.add(integrity)
    yield [tarballName(integrity), bytes]
  }
}

async function writeEntries(path: string, entries: Iterable<[string, Buffer]>): Promise<void> {
  await using file = await open(path, 'w', 0o644)
  for (const [name, content] of entries) {
    const header = Buffer.alloc(BLOCK_BYTES)
    const fields = { path: name, mode: 0o644, size: content.length, mtime: new Date(0) }
    new Header({ ...fields, type: 'File' }).encode(header)
    const padding = Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES)
    await file.writeFile(Buffer.concat([header, content, padding]))
  }
  await file.writeFile(Buffer.alloc(2 * BLOCK_BYTES))
  await file.sync()
}
