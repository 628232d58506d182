import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Parser, type ReadEntry } from 'tar'
import { refusal } from '../refusal.ts'
import type { PackageFile } from '../trust/candidate.ts'

/** What may still be unpacked for one plugin, all its dependencies together. */
export interface UnpackBudget {
  files: number
  bytes: number
}

export function unpackBudget(): UnpackBudget {
  return { files: 10_000, bytes: 64 * 1024 * 1024 }
}

const LONGEST_PATH = 512
const TAR_BLOCK_BYTES = 512
const CHUNK_BYTES = 64 * 1024
const GZIP_MAGIC = 0x1f8b
const FILE_TYPES = new Set(['File', 'OldFile', 'ContiguousFile'])
const DIRECTORY_TYPES = new Set(['Directory', 'GNUDumpDir'])

/**
 * Writes the files of an npm tarball into an empty folder and does nothing else: no script of the package runs.
 * Looks at the whole tarball before the first file is written.
 * @param origin - names the tarball in messages
 * @returns what was written, by path
 * @throws configuration_error for links, devices, paths that leave the folder, native addons, and more than `budget`
 */
export async function unpack(
  tarball: Buffer,
  folder: string,
  { origin, budget }: { origin: string; budget: UnpackBudget },
): Promise<PackageFile[]> {
  const files = readFiles(await inflate(tarball, origin, budget), origin, budget)
  for (const [path, content] of files) {
    const target = join(folder, path)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, content, { flag: 'wx', mode: 0o644 })
  }
  const list = [...files].map(([path, content]) => ({ path, sha256: sha256(content) }))
  return list.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

async function inflate(tarball: Buffer, origin: string, budget: UnpackBudget): Promise<Buffer> {
  // A header and padding per file come on top of the contents.
  const maxOutputLength = budget.bytes + (budget.files + 2) * 1024
  try {
    return await promisify(gunzip)(tarball, { maxOutputLength })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooMuch(origin)
    }
    throw refusal(origin, `is no gzip-compressed tarball: ${(error as Error).message}`, error)
  }
}

interface PackedFile {
  /** Inside the package. */
  path: string
  chunks: Buffer[]
}

function readFiles(tar: Buffer, origin: string, budget: UnpackBudget): Map<string, Buffer> {
  if (tar.length < TAR_BLOCK_BYTES) throw unreadable(origin, 'it is too short')
  // Or the parser would inflate once more, without a limit, what looks compressed.
  if (tar.readUInt16BE(0) === GZIP_MAGIC) throw unreadable(origin, 'it is compressed twice')
  const packed: PackedFile[] = []
  const problems: unknown[] = []
  let ended = false
  const parser = new Parser({ strict: true, brotli: false, zstd: false })
  parser.on('error', (error: unknown) => problems.push(unreadable(origin, error)))
  parser.on('ignoredEntry', (entry: ReadEntry) => problems.push(refuseType(entry, origin)))
  parser.on('end', () => {
    ended = true
  })
  parser.on('entry', (entry: ReadEntry) => {
    try {
      admit(entry, packed, { origin, budget })
    } catch (error) {
      problems.push(error)
    }
    // An entry that nobody reads holds up all that follow.
    entry.resume()
  })
  for (let start = 0; start < tar.length && problems.length === 0; start += CHUNK_BYTES) {
    parser.write(tar.subarray(start, start + CHUNK_BYTES))
  }
  parser.end()
  if (problems.length > 0) throw problems[0]
  if (!ended || packed.length === 0) throw unreadable(origin, 'it holds no files')
  return contentsByPath(packed, origin)
}

function admit(
  entry: ReadEntry,
  packed: PackedFile[],
  { origin, budget }: { origin: string; budget: UnpackBudget },
): void {
  const path = pathInPackage(entry.path, origin)
  if (DIRECTORY_TYPES.has(entry.type)) return
  if (!FILE_TYPES.has(entry.type)) throw refuseType(entry, origin)
  if (path === '') throw refusal(origin, `'${entry.path}' lies beside the package's folder`)
  if (path.endsWith('.node')) {
    throw refusal(origin, `'${path}' is a native addon; plugins are JavaScript only`)
  }
  budget.files -= 1
  budget.bytes -= entry.size
  if (budget.files < 0 || budget.bytes < 0) throw tooMuch(origin)
  const file: PackedFile = { path, chunks: [] }
  packed.push(file)
  entry.on('data', (chunk: Buffer) => file.chunks.push(chunk))
}

/**
 * Packages in use do repeat files; it is a trick only where it matters which one counts, here or on a machine that tells
 * neither case nor composed letters apart.
 */
function contentsByPath(packed: readonly PackedFile[], origin: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  const folded = new Map<string, { path: string; content: Buffer }>()
  for (const { path, chunks } of packed) {
    const content = Buffer.concat(chunks)
    const key = path.normalize('NFC').toLowerCase()
    const before = folded.get(key)
    if (before && !before.content.equals(content)) {
      const other = before.path === path ? '' : ` (also as '${before.path}')`
      throw refusal(origin, `'${path}' is in the tarball twice${other}, with different contents`)
    }
    folded.set(key, { path, content })
    files.set(path, content)
  }
  for (const path of files.keys()) {
    const parent = parentsOf(path).find((one) => files.has(one))
    if (parent !== undefined) throw refusal(origin, `'${parent}' is a file and a folder`)
  }
  return files
}

function parentsOf(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

/** Path below the one folder that npm packs everything in; empty for that folder itself. */
function pathInPackage(path: string, origin: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  const leaves = /^([A-Za-z]:|\/)|[\\\0]/.test(path) || parts.includes('..')
  if (leaves) throw refusal(origin, `'${path}' would leave the package's folder`)
  if (path.length > LONGEST_PATH)
    throw refusal(origin, `'${path.slice(0, 64)}…' is too long a path`)
  return parts.slice(1).join('/')
}

function refuseType(entry: ReadEntry, origin: string): Error {
  return refusal(origin, `'${entry.path}' is a ${entry.type}; only files and folders are unpacked`)
}

function tooMuch(origin: string): Error {
  const { files, bytes } = unpackBudget()
  return refusal(
    origin,
    `unpacks to more than ${files} files or ${bytes} bytes, dependencies included`,
  )
}

function unreadable(origin: string, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error)
  return refusal(origin, `the tarball cannot be read: ${message}`, error)
}
