import { FogbowError, invalid } from '@fogbow/plugin-sdk'
import { canonicalHost } from '@fogbow/plugin-sdk/network'
import type { Target } from './network-pattern.ts'

/** A request that was looked at once and is used as it was seen then. */
export interface FetchRequest {
  target: Target
  /** What the URL says after its host. */
  path: string
  /** As the `Host` field names it. */
  authority: string
  method: string
  headers: readonly [name: string, value: string][]
  body?: Buffer
  /** The number of a stream that the plugin opened. */
  bodyStream?: unknown
  /** What the plugin says of the length of `bodyStream`, bytes. */
  bodyLength?: number
}

const LONGEST_URL = 16_384
const MOST_HEADERS = 256
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'COPY']
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/
/** Visible characters, spaces and tabs (RFC 9110, section 5.5). */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Of the connection, or able to make the server see another request than the one that was checked. */
const ownHeaders = new Set([
  'host',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'expect',
  'http2-settings',
  'cookie2',
  'accept-encoding',
])

/** @throws invalid_parameter, payload_too_large */
export function readFetchRequest(value: unknown, mostHeaderBytes: number): FetchRequest {
  const request = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  const url = readUrl(request.url)
  const method = readMethod(request.method)
  const headers = readHeaders(request.headers, mostHeaderBytes)
  const body = readBody(request.body)
  const { bodyStream } = request
  if ((body || bodyStream !== undefined) && (method === 'GET' || method === 'HEAD'))
    throw invalid('body', `${method} has no body`)
  if (body && bodyStream !== undefined) throw invalid('bodyStream', 'there is a body already')
  const bodyLength = bodyStream === undefined ? undefined : readLength(headers)
  return {
    ...url,
    method,
    headers: headers.filter(([name]) => !isOwnHeader(name)),
    ...(body && { body }),
    ...(bodyStream !== undefined && { bodyStream }),
    ...(bodyLength !== undefined && { bodyLength }),
  }
}

/** Whether a field belongs to the connection and is not for plugins to see or say. */
export function isOwnHeader(name: string): boolean {
  const lower = name.toLowerCase()
  return ownHeaders.has(lower) || lower.startsWith('proxy-')
}

function readUrl(text: unknown): Pick<FetchRequest, 'target' | 'path' | 'authority'> {
  const url = typeof text === 'string' && text.length <= LONGEST_URL ? URL.parse(text) : null
  const scheme = url && { 'https:': 'https' as const, 'http:': 'http' as const }[url.protocol]
  const host = url && canonicalHost(url.hostname)
  if (!scheme || !host)
    throw invalid('url', `must be an http or https URL of at most ${LONGEST_URL} characters`)
  if (url.username || url.password)
    throw invalid('url', 'must not hold a user name or password; send them in a header')
  const port = url.port ? Number(url.port) : scheme === 'https' ? 443 : 80
  return {
    target: { scheme, host, port },
    path: url.pathname + url.search,
    authority: url.port ? `${host}:${url.port}` : host,
  }
}

function readMethod(value: unknown): string {
  const method = value === undefined ? 'GET' : value
  if (typeof method === 'string' && methods.includes(method)) return method
  throw invalid('method', `must be one of ${methods.join(', ')}`)
}

function readHeaders(value: unknown, mostBytes: number): [string, string][] {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length > MOST_HEADERS)
    throw invalid('headers', `must be at most ${MOST_HEADERS} pairs of name and value`)
  let bytes = 0
  for (const [index, pair] of value.entries()) {
    const [name, content] = Array.isArray(pair) && pair.length === 2 ? pair : []
    if (typeof name !== 'string' || !token.test(name))
      throw invalid(`headers[${index}]`, 'must be a pair of the name of a header and its value')
    if (typeof content !== 'string' || !fieldValue.test(content))
      throw invalid(
        `headers[${index}]`,
        `the value of ${name} has characters that headers cannot hold`,
      )
    bytes += name.length + content.length
  }
  if (bytes <= mostBytes) return value
  throw new FogbowError('payload_too_large', `The headers are longer than ${mostBytes} bytes`)
}

function readBody(value: unknown): Buffer | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string') return Buffer.from(value, 'base64')
  throw invalid('body', 'must be base64')
}

function readLength(headers: readonly (readonly [string, string])[]): number | undefined {
  const said = headers.filter(([name]) => name.toLowerCase() === 'content-length')
  if (said.length === 0) return undefined
  const [[, length] = ['', '']] = said
  if (said.length === 1 && /^\d{1,15}$/.test(length)) return Number(length)
  throw invalid('headers', 'content-length must be one number of bytes')
}
