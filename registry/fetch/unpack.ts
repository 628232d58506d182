import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Parser, type ReadEntry } from 'tar'
import { refusal } from '../refusal.ts'

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
const GZIP_MAGIC = 0x1f8b
const FILE_TYPES = new Set(['File', 'OldFile', 'ContiguousFile'])
const DIRECTORY_TYPES = new Set(['Directory', 'GNUDumpDir'])

/**
 * Writes the files of an npm tarball into an empty folder and does nothing else: no script of the package runs.
 * Looks at the whole tarball before the first file is written.
 * @param origin - names the tarball in messages
 * @throws configuration_error for links, devices, paths that leave the folder, native addons, and more than `budget`
 */
export async function unpack(
  tarball: Buffer,
  folder: string,
  { origin, budget }: { origin: string; budget: UnpackBudget },
): Promise<void> {
  const files = readFiles(await inflate(tarball, origin, budget), origin, budget)
  for (const [path, content] of files) {
    const target = join(folder, path)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, content, { flag: 'wx', mode: 0o644 })
  }
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
  parser.end(tar)
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

/** Packages in use do repeat files; it is a trick only where it matters which one counts. */
function contentsByPath(packed: readonly PackedFile[], origin: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (const { path, chunks } of packed) {
    const content = Buffer.concat(chunks)
    if (!(files.get(path) ?? content).equals(content)) {
      throw refusal(origin, `'${path}' is in the tarball twice, with different contents`)
    }
    files.set(path, content)
  }
  return files
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
