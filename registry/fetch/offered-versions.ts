import { FogbowError, invalid } from '@fogbow/plugin-sdk'
import parseSpecifier from 'npm-package-arg'
import { lte, prerelease, rcompare, satisfies, valid } from 'semver'
import { refusal } from '../refusal.ts'
import type { RegistrySignature } from '../trust/candidate.ts'
import type { PackageRegistries } from './registries.ts'
import { readJson } from './registry-document.ts'

/** One version as its registry announces it, before anything is downloaded. */
export interface OfferedVersion {
  name: string
  version: string
  /** Name of the registry. */
  registry: string
  /** SHA-512 of the tarball, in the form of subresource integrity. */
  integrity?: string
  /** RFC 3339 */
  publishedAt?: string
  signatures: RegistrySignature[]
  /** Where its Sigstore bundles are, relative to the registry. */
  attestationsPath?: string
  /** Range of SDK versions, where the registry tells it. */
  sdk?: string
  /** Versions of the contracts that it was made for, where the registry tells them; nobody has checked them. */
  contracts?: object
  /** Kinds that it offers, where the registry tells them; nobody has checked them. */
  kinds?: string[]
  license?: string
  deprecated?: string
}

/**
 * Versions that a specifier stands for, the one to be taken first in front: newest first, but nothing beyond `latest` where
 * that is among them, and deprecated ones behind the others.
 * @throws invalid_parameter when there is none; unavailable_provider when the registry does not answer
 */
export async function offeredVersions(
  specifier: string,
  registries: PackageRegistries,
  registry?: string,
): Promise<OfferedVersion[]> {
  const { name, type, fetchSpec } = parseSpecifier(specifier)
  if (!name || !fetchSpec || !isPlain(type)) {
    throw invalid('source', `'${specifier}' must be a package, with a version, range or tag of it`)
  }
  const from = registry ?? registries.nameFor(name)
  const options = registries.options({ packageName: name, registry: from })
  const document = await readJson(`/${escapeName(name)}`, options, specifier)
  const { versions, tags, time } = readPackument(document, name)
  const found = chosen(Object.keys(versions), type, fetchSpec, tags)
  if (found.length === 0) throw invalid('source', `the npm registry has no '${specifier}'`)
  const offered = found.map((version) => toOffered(name, version, from, versions[version], time))
  return [...offered.filter(isUndeprecated), ...offered.filter((one) => !isUndeprecated(one))]
}

function isPlain(type: string): type is 'version' | 'range' | 'tag' {
  return type === 'version' || type === 'range' || type === 'tag'
}

function isUndeprecated({ deprecated }: OfferedVersion): boolean {
  return deprecated === undefined
}

function chosen(
  all: readonly string[],
  type: 'version' | 'range' | 'tag',
  wanted: string,
  tags: Record<string, unknown>,
): string[] {
  const versions = all.filter((version) => valid(version) === version).sort(rcompare)
  if (type === 'version') return versions.filter((version) => version === valid(wanted))
  if (type === 'tag' && wanted !== 'latest') {
    return versions.filter((version) => version === tags[wanted])
  }
  const range = type === 'tag' ? '*' : wanted
  const latest = typeof tags.latest === 'string' ? tags.latest : undefined
  // Of a package that has nothing but prereleases, `latest` is one.
  const includePrerelease = range === '*' && latest !== undefined && prerelease(latest) !== null
  const suiting = versions.filter((version) => satisfies(version, range, { includePrerelease }))
  return latest !== undefined && suiting.includes(latest)
    ? suiting.filter((version) => lte(version, latest))
    : suiting
}

interface Packument {
  versions: Record<string, unknown>
  tags: Record<string, unknown>
  time: Record<string, unknown>
}

function readPackument(document: unknown, name: string): Packument {
  const fields = toObject(document)
  if (fields.name !== name) {
    throw refusal(name, `the npm registry answered with the document of '${String(fields.name)}'`)
  }
  return {
    versions: toObject(fields.versions),
    tags: toObject(fields['dist-tags']),
    time: toObject(fields.time),
  }
}

function toOffered(
  name: string,
  version: string,
  registry: string,
  written: unknown,
  time: Record<string, unknown>,
): OfferedVersion {
  const fields = toObject(written)
  const dist = toObject(fields.dist)
  const integrity = sha512Of(dist.integrity)
  const publishedAt = time[version]
  const { sdk, contracts, kinds } = toObject(fields.fogbow)
  const path = pathOf(toObject(dist.attestations).url)
  return {
    name,
    version,
    registry,
    signatures: Array.isArray(dist.signatures) ? dist.signatures.map(toSignature) : [],
    ...(integrity !== undefined && { integrity }),
    ...(typeof publishedAt === 'string' && { publishedAt }),
    ...(path !== undefined && { attestationsPath: path }),
    ...(typeof sdk === 'string' && { sdk }),
    ...(Array.isArray(kinds) && { kinds: kinds.filter((kind) => typeof kind === 'string') }),
    ...(typeof fields.license === 'string' && { license: fields.license.slice(0, 128) }),
    ...(typeof contracts === 'object' && contracts !== null && { contracts }),
    ...(Boolean(fields.deprecated) && { deprecated: String(fields.deprecated).slice(0, 1024) }),
  }
}

/** @returns the Sigstore bundles; undefined when the registry has none after all */
export async function readAttestations(
  { name, version, registry, attestationsPath }: OfferedVersion,
  registries: PackageRegistries,
): Promise<unknown[] | undefined> {
  if (attestationsPath === undefined) return undefined
  const options = registries.options({ packageName: name, registry })
  try {
    const document = toObject(await readJson(attestationsPath, options, `${name}@${version}`))
    if (!Array.isArray(document.attestations)) return undefined
    return document.attestations.map((one) => toObject(one).bundle)
  } catch (error) {
    // A mirror that passes on the address and not the document: the policy decides what their absence means.
    if (error instanceof FogbowError && error.code === 'invalid_parameter') return undefined
    throw error
  }
}

/** Of several hashes in one text, the only one that counts. */
export function sha512Of(integrity: unknown): string | undefined {
  if (typeof integrity !== 'string') return undefined
  return integrity.split(/\s+/).find((hash) => /^sha512-[A-Za-z0-9+/]{86}==$/.test(hash))
}

function toSignature(written: unknown): RegistrySignature {
  const { keyid, sig } = toObject(written)
  return { keyid: String(keyid), sig: String(sig) }
}

function pathOf(url: unknown): string | undefined {
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).pathname : undefined
}

function escapeName(name: string): string {
  return name.replace('/', '%2f')
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
