import { FogbowError, invalid } from '@fogbow/plugin-sdk'
import type { HostCall, HostMethod } from '@fogbow/sandbox'

export interface FetchRequest {
  url: string
  method: string
  headers: [string, string][]
  /** base64; absent for no body */
  body?: string
}

export interface FetchResponse {
  status: number
  statusText: string
  headers: [string, string][]
  /** base64 */
  body: string
}

const LARGEST_BODY = 8 * 1_048_576
const TIMEOUT_MS = 60_000
/** Set by the connection, or able to smuggle a request past what was checked. */
const ownHeaders = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
])

/**
 * `fetch`: one HTTP request to a host that the plugin asked for and the administrator granted. Redirects are answered,
 * not followed: the plugin decides, and its next request is checked like any other.
 */
export function fetchBroker(
  plugin: string,
  allowed: readonly string[],
): Record<string, HostMethod> {
  return {
    fetch: async ([request], call) => {
      const checked = toRequest(request)
      const url = new URL(checked.url)
      if (!allowed.some((pattern) => matches(pattern, url))) {
        throw new FogbowError(
          'unauthorized',
          `Plugin '${plugin}' may not reach ${url.host}; grant it in plugins.${plugin}.grants.network if its manifest asks for it`,
        )
      }
      return send(url, checked, call)
    },
  }
}

/** @param pattern - `host`, `host:port`, `*.domain` or `*.domain:port`; without a port, that of the scheme */
export function matches(pattern: string, url: URL): boolean {
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(pattern) ?? []
  const actualPort = url.port || (url.protocol === 'https:' ? '443' : '80')
  const defaultPort = url.protocol === 'https:' ? '443' : '80'
  if (actualPort !== (port ?? defaultPort)) return false
  if (host.startsWith('*.')) return url.hostname.endsWith(host.slice(1).toLowerCase())
  return url.hostname === host.toLowerCase()
}

/** Fills `{config.KEY.host}` with host and port of a configured URL, so that a plugin reaches just that endpoint. */
export function resolvePattern(pattern: string, config: Record<string, unknown>): string {
  return pattern.replace(/\{config\.([A-Za-z0-9_.]+)\.host\}/g, (_match, path: string) => {
    const value = path
      .split('.')
      .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], config)
    if (typeof value !== 'string' || !URL.canParse(value)) return ''
    const url = new URL(value)
    return url.port
      ? `${url.hostname}:${url.port}`
      : `${url.hostname}:${url.protocol === 'https:' ? 443 : 80}`
  })
}

async function send(url: URL, request: FetchRequest, call: HostCall): Promise<FetchResponse> {
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(TIMEOUT_MS)])
  const init: RequestInit = {
    method: request.method,
    headers: request.headers.filter(([name]) => !ownHeaders.has(name.toLowerCase())),
    redirect: 'manual',
    signal,
  }
  if (request.body !== undefined) init.body = Buffer.from(request.body, 'base64')
  try {
    const response = await fetch(url, init)
    return {
      status: response.status,
      statusText: response.statusText,
      headers: [...response.headers],
      body: (await readBody(response)).toString('base64'),
    }
  } catch (cause) {
    if (cause instanceof FogbowError) throw cause
    const reason =
      cause instanceof Error
        ? ((cause.cause as NodeJS.ErrnoException | undefined)?.code ?? cause.message)
        : String(cause)
    throw new FogbowError('unavailable_provider', `${url.host} does not answer: ${reason}`, {
      cause,
    })
  }
}

async function readBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > LARGEST_BODY)
      throw new FogbowError('payload_too_large', `The answer is longer than ${LARGEST_BODY} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function toRequest(value: unknown): FetchRequest {
  const request = value as Partial<FetchRequest> | null
  if (
    typeof request?.url !== 'string' ||
    !/^https?:\/\//i.test(request.url) ||
    !URL.canParse(request.url)
  ) {
    throw invalid('url', 'must be an http or https URL')
  }
  const headers = Array.isArray(request.headers) ? request.headers : []
  const valid = headers.every(
    (header) =>
      Array.isArray(header) &&
      header.length === 2 &&
      header.every((part) => typeof part === 'string'),
  )
  if (!valid) throw invalid('headers', 'must be pairs of name and value')
  if (request.body !== undefined && typeof request.body !== 'string')
    throw invalid('body', 'must be base64')
  return {
    url: request.url,
    method: String(request.method ?? 'GET'),
    headers,
    ...(request.body !== undefined && { body: request.body }),
  }
}
