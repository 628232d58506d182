import { collect, type NpmOptions, newRequest, toRegistryError } from './tarball.ts'

const MAX_DOCUMENT_BYTES = 128 * 1024 * 1024

/**
 * Reads a JSON document of an npm registry as it is now.
 * @param about - specifier for messages
 * @throws invalid_parameter when there is none; unavailable_provider for every other failure
 */
export async function readJson(path: string, npm: NpmOptions, about: string): Promise<unknown> {
  const { default: fetch } = await import('npm-registry-fetch')
  const { options, abort } = newRequest({ preferOnline: true, ...npm })
  try {
    const { body } = await fetch(path, options)
    const bytes = body
      ? await collect(about, body, { abort, maxBytes: MAX_DOCUMENT_BYTES })
      : Buffer.alloc(0)
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch (error) {
    throw toRegistryError(about, error)
  }
}
