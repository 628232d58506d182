import { constants, gzipSync } from 'node:zlib'
import { Header, Pax } from 'tar'
import { byCode, type PackedFiles } from './packed-files.ts'

const BLOCK_BYTES = 512
/** The time that npm gives to every file, so that the same files make the same tarball. */
const MTIME = new Date('1985-10-26T08:15:00.000Z')
/** Place of the operating system in a gzip header (RFC 1952, section 2.3), and what stands for none. */
const GZIP_OS = 9
const UNKNOWN_OS = 255

/** A tarball as npm packs it; the same bytes for the same files, on every machine. */
export function writeTarball(
  files: PackedFiles,
  { level = constants.Z_BEST_COMPRESSION }: { level?: number } = {},
): Buffer {
  const paths = [...files.keys()].sort(byCode)
  const blocks = paths.flatMap((path) => toBlocks(path, files.get(path) ?? Buffer.alloc(0)))
  const end = Buffer.alloc(2 * BLOCK_BYTES)
  const tarball = gzipSync(Buffer.concat([...blocks, end]), { level })
  tarball.writeUInt8(UNKNOWN_OS, GZIP_OS)
  return tarball
}

function toBlocks(path: string, content: Buffer): Buffer[] {
  const fields = { path: `package/${path}`, size: content.length, mode: 0o644, mtime: MTIME }
  const header = new Header({ ...fields, type: 'File' })
  const block = Buffer.alloc(BLOCK_BYTES)
  const isTooLong = header.encode(block)
  const extended = isTooLong ? [new Pax({ path: fields.path }).encode()] : []
  const padding = Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES)
  return [...extended, block, content, padding]
}
