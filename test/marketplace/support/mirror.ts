import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Verdaccio } from './verdaccio.ts'

interface Manifest {
  name: string
  version: string
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
}

interface InstalledPackage {
  folder: string
  manifest: Manifest
}

const root = join(import.meta.dirname, '../../..')
const ownScope = '@fogbow/'
const MOST_BYTES = 64 * 1024 * 1024

/**
 * Gives a registry what packages of this project need, as it is installed here: those of this project with the npm client,
 * all others as any registry has them.
 */
export async function mirror(registry: Verdaccio, names: readonly string[]): Promise<void> {
  const needed = closureOf(names)
  const isOwn = ({ manifest: { name } }: InstalledPackage) =>
    name.startsWith(ownScope) || names.includes(name)
  for (const one of needed.filter((each) => !isOwn(each))) await upload(registry, one)
  for (const { folder } of needed.filter(isOwn)) await registry.publish(folder)
}

/** Everything that Node would find, once for each folder. */
function closureOf(names: readonly string[]): InstalledPackage[] {
  const found = new Map<string, InstalledPackage>()
  const open = names.map((name) => installed(name, root))
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    if (found.has(folder)) continue
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
    found.set(folder, { folder, manifest })
    const { dependencies, optionalDependencies, peerDependencies } = manifest
    const wanted = { ...dependencies, ...optionalDependencies, ...peerDependencies }
    for (const name of Object.keys(wanted)) {
      const path = find(name, folder)
      if (path !== undefined) open.push(path)
    }
  }
  const ids = new Map([...found.values()].map((one) => [idOf(one), one]))
  return [...ids.values()]
}

function installed(name: string, from: string): string {
  const folder = find(name, from)
  if (folder !== undefined) return folder
  throw new Error(`${name} is not installed`)
}

function find(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name)
    if (existsSync(join(path, 'package.json'))) return realpathSync(path)
    if (folder === dirname(folder)) return undefined
  }
}

function idOf({ manifest: { name, version } }: InstalledPackage): string {
  return `${name}@${version}`
}

/** What `npm publish` sends, without the second that the client takes for each package. */
async function upload(registry: Verdaccio, one: InstalledPackage): Promise<void> {
  const { name, version } = one.manifest
  const tarball = execFileSync(
    'tar',
    ['-cz', '--exclude=./node_modules', '--transform=s,^\\.,package,', '-C', one.folder, '.'],
    { maxBuffer: MOST_BYTES },
  )
  const digest = (algorithm: string) => createHash(algorithm).update(tarball)
  const file = `${name}-${version}.tgz`
  const dist = {
    integrity: `sha512-${digest('sha512').digest('base64')}`,
    shasum: digest('sha1').digest('hex'),
    tarball: `${registry.url}${name}/-/${file}`,
  }
  const data = tarball.toString('base64')
  const answer = await fetch(`${registry.url}${name.replace('/', '%2f')}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${registry.token}` },
    body: JSON.stringify({
      _id: name,
      name,
      'dist-tags': { [`v${version}`]: version },
      versions: { [version]: { ...one.manifest, _id: idOf(one), dist } },
      _attachments: {
        [file]: { content_type: 'application/octet-stream', data, length: tarball.length },
      },
    }),
  })
  if (!answer.ok) throw new Error(`${idOf(one)}: ${answer.status} ${await answer.text()}`)
}
