import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OfferedVersion } from '../fetch/offered-versions.ts'
import type { PackageRegistries } from '../fetch/registries.ts'
import { downloadTarball } from '../fetch/tarball.ts'
import { unpack, unpackBudget } from '../fetch/unpack.ts'
import { refusal } from '../refusal.ts'

/** What people read before they install something, out of the package itself. */
export interface PackageTexts {
  /** Its `package.json`; nothing of it has been checked. */
  fields: Record<string, unknown>
  readme: string
  changelog: string
  /** Unpacked, bytes. */
  size: number
}

const LONGEST_TEXT = 262_144

/** Downloads a version and reads it; nothing of it is kept or run. */
export async function readPackageTexts(
  offered: OfferedVersion,
  registries: PackageRegistries,
): Promise<PackageTexts> {
  const { name, version, registry } = offered
  const origin = `${name}@${version}`
  const options = registries.options({ packageName: name, registry })
  const { bytes } = await downloadTarball(offered, options)
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-read-'))
  try {
    const files = await unpack(bytes, folder, { origin, budget: unpackBudget() })
    const sizes = await Promise.all(files.map(({ path }) => stat(join(folder, path))))
    return {
      fields: parse(origin, await readFile(join(folder, 'package.json'), 'utf8')),
      readme: await textOf(folder, /^readme(\.md|\.txt)?$/i),
      changelog: await textOf(folder, /^(changelog|changes|history)(\.md|\.txt)?$/i),
      size: sizes.reduce((sum, { size }) => sum + size, 0),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function parse(origin: string, json: string): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(json)
    if (typeof fields === 'object' && fields !== null) return fields as Record<string, unknown>
  } catch (error) {
    throw refusal(origin, `package.json is no JSON: ${(error as Error).message}`, error)
  }
  throw refusal(origin, 'package.json must be a JSON object')
}

async function textOf(folder: string, pattern: RegExp): Promise<string> {
  const name = (await readdir(folder)).find((entry) => pattern.test(entry))
  if (name === undefined) return ''
  const text = await readFile(join(folder, name), 'utf8')
  return text.slice(0, LONGEST_TEXT)
}
