import { FogbowError, type PluginHost } from '@fogbow/plugin-sdk'
import {
  type CompactJWSHeaderParameters,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
} from 'jose'
import { isOnThisMachine } from './config.ts'
import { providerError } from './errors.ts'
import { ANSWER_SECONDS, type Provider } from './provider.ts'

/** The provider's public keys (RFC 7517). */
export interface Keys {
  /**
   * The key that a token names; one that is not known is looked for at the provider, though not for each token.
   * @throws JWKSNoMatchingKey; unavailable_provider when the keys cannot be had
   */
  keyFor(header: CompactJWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey>
  /** Reads them anew. @throws FogbowError */
  refresh(): Promise<void>
}

const FRESH_MS = 600_000
/** Made-up key ids must not make this site ask the provider over and over. */
const LEAST_BETWEEN_SEARCHES_MS = 30_000
const RETRY_MS = 30_000
const LONGEST_TEXT = 524_288

type KeySet = ReturnType<typeof createLocalJWKSet>

export function createKeys(
  { clock, log, fetch }: Pick<PluginHost, 'clock' | 'log' | 'fetch'>,
  provider: Pick<Provider, 'issuer' | 'metadata'>,
): Keys {
  let known: { keys: KeySet; until: number } | undefined
  let underWay: Promise<KeySet> | undefined
  let searchedAt = Number.NEGATIVE_INFINITY

  async function load(): Promise<KeySet> {
    const { jwks_uri: uri } = await provider.metadata()
    if (uri === undefined)
      throw new FogbowError('configuration_error', `${provider.issuer} publishes no keys`)
    if (!uri.startsWith('https:') && !isOnThisMachine(uri))
      throw new FogbowError(
        'configuration_error',
        `${provider.issuer} publishes its keys at ${uri}, which is not encrypted`,
      )
    const keys = createLocalJWKSet(await readKeySet(fetch, uri, provider.issuer))
    known = { keys, until: clock.now() + FRESH_MS }
    return keys
  }

  function loadOnce(): Promise<KeySet> {
    underWay ??= load().finally(() => {
      underWay = undefined
    })
    return underWay
  }

  /** Keys that were published stay good while the provider does not answer. */
  async function present(): Promise<KeySet> {
    if (known && clock.now() < known.until) return known.keys
    try {
      return await loadOnce()
    } catch (error) {
      if (!known) throw error
      log.warn('the keys of the provider cannot be read, those before go on', {
        issuer: provider.issuer,
      })
      known.until = clock.now() + RETRY_MS
      return known.keys
    }
  }

  return {
    async keyFor(header, token) {
      const keys = await present()
      try {
        return await keys(header, token)
      } catch (error) {
        const mayBeNew = error instanceof errors.JWKSNoMatchingKey
        if (!mayBeNew || clock.now() < searchedAt + LEAST_BETWEEN_SEARCHES_MS) throw error
        searchedAt = clock.now()
        return (await loadOnce())(header, token)
      }
    },
    async refresh() {
      await loadOnce()
    },
  }
}

async function readKeySet(
  fetch: PluginHost['fetch'],
  uri: string,
  issuer: string,
): Promise<JSONWebKeySet> {
  try {
    const response = await fetch(uri, {
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_SECONDS * 1000),
      headers: { accept: 'application/json' },
    })
    const text = await response.text()
    if (response.status !== 200) throw new Error(`its keys are answered with ${response.status}`)
    if (text.length > LONGEST_TEXT) throw new Error(`its keys are longer than ${LONGEST_TEXT}`)
    return JSON.parse(text)
  } catch (error) {
    throw providerError(error, issuer)
  }
}
