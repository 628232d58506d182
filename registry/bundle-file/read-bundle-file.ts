import { createReadStream } from 'node:fs'
import { Parser, type ReadEntry } from 'tar'
import { sourceKind } from '../fetch/source.ts'
import { type Tarball, toTarball } from '../fetch/tarball.ts'
import {
  type BundledPackage,
  type BundleIndex,
  indexName,
  parseIndex,
  tarballName,
  unusable,
} from './bundle-index.ts'

const MAX_INDEX_BYTES = 64 * 1024 * 1024
const MAX_BYTES = 512 * 1024 * 1024

export async function readIndex(file: string): Promise<BundleIndex> {
  const found = await readEntries(file, new Set([indexName]), MAX_INDEX_BYTES)
  const bytes = found.get(indexName)
  if (!bytes) throw unusable(file, `it holds no ${indexName}`)
  return parseIndex(file, bytes)
}

/**
 * Tarballs of one package and of all that it depends on, by their integrity.
 * @throws configuration_error when one is missing or is not what the index says
 */
export async function readTarballs(
  file: string,
  { integrity, dependencies }: BundledPackage,
): Promise<Map<string, Tarball>> {
  const wanted = [integrity, ...dependencies.map((one) => one.integrity)]
  const found = await readEntries(file, new Set(wanted.map(tarballName)), MAX_BYTES)
  return new Map(
    wanted.map((expected) => {
      const bytes = found.get(tarballName(expected))
      if (!bytes) throw unusable(file, `the tarball ${expected} is missing`)
      const tarball = toTarball(bytes)
      if (tarball.integrity === expected) return [expected, tarball]
      throw unusable(file, `${expected} is announced, and ${tarball.integrity} is there`)
    }),
  )
}

/** Contents of plain files with these names; everything else is passed over. */
async function readEntries(
  file: string,
  names: ReadonlySet<string>,
  maxBytes: number,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer[]>()
  const problems: string[] = []
  let bytes = 0
  const parser = new Parser({ strict: true, brotli: false, zstd: false })
  parser.on('error', (error: unknown) => problems.push(String(error)))
  parser.on('entry', (entry: ReadEntry) => {
    bytes += names.has(entry.path) ? entry.size : 0
    if (bytes > maxBytes) problems.push(`it holds more than ${maxBytes} bytes of one package`)
    if (problems.length === 0 && entry.type === 'File' && names.has(entry.path)) {
      const chunks: Buffer[] = []
      found.set(entry.path, chunks)
      entry.on('data', (chunk: Buffer) => chunks.push(chunk))
    }
    // An entry that nobody reads holds up all that follow.
    entry.resume()
  })
  // Or the parser would inflate, without a limit, what looks compressed.
  if ((await sourceKind(file)) !== 'bundle file') throw unusable(file, 'it is none')
  for await (const chunk of createReadStream(file)) {
    parser.write(chunk as Buffer)
    if (problems.length > 0) break
  }
  parser.end()
  const [problem] = problems
  if (problem !== undefined) throw unusable(file, problem)
  return new Map([...found].map(([name, chunks]) => [name, Buffer.concat(chunks)]))
}
