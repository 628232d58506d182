import { FogbowError } from '@fogbow/plugin-sdk'
import type { HostMethod } from '@fogbow/sandbox'
import type { SecretReader } from './broker.ts'

export interface SecretsParts {
  plugin: string
  /** Names that the manifest asks for. */
  wanted: readonly string[]
  /** Name → reference. */
  references: Readonly<Record<string, string>>
  read: SecretReader
  /** Told why a secret cannot be read: the plugin is not, since the reason names places of this machine. */
  onProblem(error: unknown): void
  /** ms since any fixed moment */
  now?(): number
}

const MOST_READS = 100
const WITHIN_MS = 1_000

/** `secrets.get`: the secrets that the manifest names and the configuration fills in, read anew each time. */
export function secretsBroker(parts: SecretsParts): Record<'secrets.get', HostMethod> {
  const { plugin, references, now = performance.now.bind(performance) } = parts
  const wanted = new Set(parts.wanted)
  const reading = new Map<string, Promise<string>>()
  let since = Number.NEGATIVE_INFINITY
  let reads = 0

  function count(): void {
    if (now() - since >= WITHIN_MS) {
      since = now()
      reads = 0
    }
    if (++reads <= MOST_READS) return
    throw new FogbowError(
      'too_many_requests',
      `Plugin '${plugin}' read secrets ${MOST_READS} times within ${WITHIN_MS} ms`,
      { details: { retryAfterSeconds: 1 } },
    )
  }

  async function read(name: string): Promise<string> {
    const key = `plugins.${plugin}.secrets.${name}`
    const reference = Object.hasOwn(references, name) ? references[name] : undefined
    if (reference === undefined)
      throw new FogbowError('configuration_error', `${key} is not configured`)
    try {
      return await parts.read(reference, key)
    } catch (error) {
      parts.onProblem(error)
      throw new FogbowError(
        'configuration_error',
        `${key} cannot be read at present; the log of the site says why`,
      )
    }
  }

  return {
    'secrets.get': ([name]) => {
      if (typeof name !== 'string' || !wanted.has(name)) throw notNamed(plugin, name)
      count()
      // Those who ask while it is being read get what is read.
      let value = reading.get(name)
      if (!value) {
        value = read(name).finally(() => reading.delete(name))
        reading.set(name, value)
      }
      return value
    },
  }
}

function notNamed(plugin: string, name: unknown): FogbowError {
  const which = typeof name === 'string' ? `'${name.slice(0, 64)}'` : `of type ${typeof name}`
  return new FogbowError(
    'unauthorized',
    `Plugin '${plugin}' asks for a secret ${which}, which its manifest does not name`,
  )
}
