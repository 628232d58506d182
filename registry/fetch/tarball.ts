import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { FogbowError, invalid } from '@fogbow/plugin-sdk'
import type { AbbreviatedManifest, ManifestResult } from 'pacote'
import { refusal } from '../refusal.ts'

export interface Tarball {
  bytes: Buffer
  /** SHA-512, in the form of subresource integrity. */
  integrity: string
}

/** One exact version in an npm registry. */
export type RegistryVersion = AbbreviatedManifest & ManifestResult

/** Passed to the npm registry client, such as `registry`, `cache` or `//host/:_authToken`. */
export type NpmOptions = Readonly<Record<string, unknown>>

const MAX_TARBALL_BYTES = 64 * 1024 * 1024
const npmDefaults = { timeout: 30_000, fetchRetries: 2, fetchRetryMintimeout: 1000 }

export async function readTarball(path: string): Promise<Tarball> {
  const { size } = await stat(path)
  if (size > MAX_TARBALL_BYTES) throw tooLarge(path)
  return toTarball(await readFile(path))
}

/** The version that a specifier stands for at present. @throws invalid_parameter when there is none */
export async function findVersion(specifier: string, npm: NpmOptions): Promise<RegistryVersion> {
  const pacote = await registryClient()
  try {
    return await pacote.manifest(specifier, { ...npmDefaults, ...npm })
  } catch (error) {
    throw toRegistryError(specifier, error)
  }
}

/** Downloads one version; what arrives has the integrity that its registry states. */
export async function downloadTarball(
  { name, version, _integrity: integrity }: RegistryVersion,
  npm: NpmOptions,
): Promise<Tarball> {
  const pacote = await registryClient()
  const specifier = `${name}@${version}`
  const options = { ...npmDefaults, ...npm, ...(integrity && { integrity }) }
  try {
    return toTarball(
      await pacote.tarball.stream(specifier, (stream) => collect(specifier, stream), options),
    )
  } catch (error) {
    throw toRegistryError(specifier, error)
  }
}

/** Loaded when needed only: a site that starts from its store talks to no registry. */
async function registryClient() {
  return (await import('pacote')).default
}

async function collect(specifier: string, stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > MAX_TARBALL_BYTES) throw tooLarge(specifier)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function toTarball(bytes: Buffer): Tarball {
  return { bytes, integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}` }
}

function tooLarge(source: string): FogbowError {
  return refusal(source, `its tarball is larger than ${MAX_TARBALL_BYTES} bytes`)
}

function toRegistryError(specifier: string, error: unknown): FogbowError {
  if (error instanceof FogbowError) return error
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'E404':
    case 'ETARGET':
    case 'ENOVERSIONS':
      return invalid('source', `the npm registry has no '${specifier}'`)
    case 'EINTEGRITY':
      return refusal(specifier, `what the npm registry sent is not what it announced: ${message}`)
    default:
      return new FogbowError(
        'unavailable_provider',
        `The npm registry did not deliver '${specifier}': ${message}`,
        { cause: error },
      )
  }
}
