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

/**
 * Passed to the npm registry client, such as `registry`, `cache` or `//host/:_authToken`. `timeout` is how long a registry
 * may stay silent, `deadlineMs` how long one answer may take as a whole.
 */
export type NpmOptions = Readonly<Record<string, unknown>>

const MAX_TARBALL_BYTES = 64 * 1024 * 1024
const npmDefaults = { timeout: 30_000, fetchRetries: 2, fetchRetryMintimeout: 1000 }
const DEADLINE_MS = 180_000

/** One request to a registry. */
export interface RegistryRequest {
  /** For the client. */
  options: NpmOptions
  /** Ends it, whatever is still to come. */
  abort(): void
}

/** A registry that sends a byte now and then would keep the client waiting for ever. */
export function newRequest({ deadlineMs = DEADLINE_MS, ...npm }: NpmOptions): RegistryRequest {
  const controller = new AbortController()
  const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(Number(deadlineMs))])
  return { options: { ...npmDefaults, ...npm, signal }, abort: () => controller.abort() }
}

export async function readTarball(path: string): Promise<Tarball> {
  const { size } = await stat(path)
  if (size > MAX_TARBALL_BYTES) throw tooLarge(path, MAX_TARBALL_BYTES)
  return toTarball(await readFile(path))
}

/** The version that a specifier stands for at present. @throws invalid_parameter when there is none */
export async function findVersion(specifier: string, npm: NpmOptions): Promise<RegistryVersion> {
  const pacote = await registryClient()
  try {
    return await pacote.manifest(specifier, newRequest(npm).options)
  } catch (error) {
    throw toRegistryError(specifier, error)
  }
}

/** Downloads one version; what arrives has the integrity that its registry states. */
export async function downloadTarball(
  { name, version, integrity }: { name: string; version: string; integrity?: string | undefined },
  npm: NpmOptions,
): Promise<Tarball> {
  const pacote = await registryClient()
  const specifier = `${name}@${version}`
  const request = newRequest({ ...npm, ...(integrity && { integrity }) })
  try {
    return toTarball(
      await pacote.tarball.stream(
        specifier,
        (stream) => collect(specifier, stream, { ...request, maxBytes: MAX_TARBALL_BYTES }),
        request.options,
      ),
    )
  } catch (error) {
    throw toRegistryError(specifier, error)
  }
}

/** Loaded when needed only: a site that starts from its store talks to no registry. */
async function registryClient() {
  return (await import('pacote')).default
}

/**
 * Reads an answer to its end.
 * @param specifier - for messages
 */
export function collect(
  specifier: string,
  stream: NodeJS.ReadableStream,
  { maxBytes, abort }: Pick<RegistryRequest, 'abort'> & { maxBytes: number },
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= maxBytes) return chunks.push(chunk)
      reject(tooLarge(specifier, maxBytes))
      return abort()
    })
    stream.on('end', () => resolve(Buffer.concat(chunks)))
    // Stays: streams of the client fail twice when a registry breaks off, and unheard that would end the process.
    stream.on('error', reject)
  })
}

export function toTarball(bytes: Buffer): Tarball {
  return { bytes, integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}` }
}

function tooLarge(source: string, maxBytes: number): FogbowError {
  return refusal(source, `what was sent is larger than ${maxBytes} bytes`)
}

export function toRegistryError(specifier: string, error: unknown): FogbowError {
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
