import { FogbowError, type PluginHost } from '@fogbow/plugin-sdk'
import * as client from 'openid-client'
import { defaults, isOnThisMachine, type Settings } from './config.ts'
import { providerError } from './errors.ts'

/** The OpenID provider, found by its discovery document. */
export interface Provider {
  readonly issuer: string
  /** @throws FogbowError that names the provider */
  metadata(): Promise<client.ServerMetadata>
  /**
   * Runs one exchange, as this site's client or as another one.
   * @throws what `run` throws: whoever asked knows what the provider may refuse
   */
  ask<Answer>(
    run: (configuration: client.Configuration) => Promise<Answer>,
    as?: Machine,
  ): Promise<Answer>
}

/** A client that logs in by itself. */
export interface Machine {
  clientId: string
  clientSecret: string
}

/** Several answers may be needed within the time that a site waits for one of the plugin's. */
export const ANSWER_SECONDS = 4
const FRESH_MS = 3_600_000
const RETRY_MS = 60_000

export function createProvider(host: PluginHost<Settings>): Provider {
  const { config, clock, log, secrets, fetch } = host
  const { issuer, clientAuthentication = defaults.clientAuthentication } = config
  const isPlain = isOnThisMachine(issuer) && issuer.startsWith('http:')
  let known: { metadata: client.ServerMetadata; until: number } | undefined
  let underWay: Promise<client.ServerMetadata> | undefined

  /** No redirect of the provider is followed with a secret in the request. */
  const send: client.CustomFetch = (url, options) =>
    fetch(url, { ...options, redirect: 'manual' } as RequestInit)

  async function discover(): Promise<client.ServerMetadata> {
    const found = await client.discovery(new URL(issuer), config.clientId, undefined, undefined, {
      [client.customFetch]: send,
      timeout: ANSWER_SECONDS,
      ...(isPlain && { execute: [client.allowInsecureRequests] }),
    })
    const metadata = found.serverMetadata()
    if (metadata.issuer !== issuer)
      throw new FogbowError(
        'configuration_error',
        `config.issuer is ${issuer}, but the provider there calls itself ${metadata.issuer}: write that`,
      )
    return { ...metadata }
  }

  /** What is known goes on to be used while the provider does not answer. */
  async function refresh(): Promise<client.ServerMetadata> {
    try {
      const metadata = await discover()
      known = { metadata, until: clock.now() + FRESH_MS }
      return metadata
    } catch (cause) {
      const error = providerError(cause, issuer)
      if (!known) throw error
      log.warn('the discovery document cannot be read, the one before goes on', {
        issuer,
        reason: error.message,
      })
      known.until = clock.now() + RETRY_MS
      return known.metadata
    }
  }

  async function metadata(): Promise<client.ServerMetadata> {
    if (known && clock.now() < known.until) return known.metadata
    underWay ??= refresh().finally(() => {
      underWay = undefined
    })
    return underWay
  }

  async function authentication(secret: string | undefined): Promise<client.ClientAuth> {
    if (secret === undefined && clientAuthentication === 'none') return client.None()
    const text = secret ?? (await secrets.get('clientSecret'))
    return clientAuthentication === 'post'
      ? client.ClientSecretPost(text)
      : client.ClientSecretBasic(text)
  }

  return {
    issuer,
    metadata,
    async ask(run, machine) {
      const clockSkewSeconds = Math.round((clock.now() - Date.now()) / 1000)
      const configuration = new client.Configuration(
        await metadata(),
        machine?.clientId ?? config.clientId,
        {
          [client.clockSkew]: clockSkewSeconds,
          [client.clockTolerance]: config.clockToleranceSeconds ?? defaults.clockToleranceSeconds,
        },
        await authentication(machine?.clientSecret),
      )
      configuration[client.customFetch] = send
      configuration.timeout = ANSWER_SECONDS
      if (isPlain) client.allowInsecureRequests(configuration)
      return run(configuration)
    },
  }
}
