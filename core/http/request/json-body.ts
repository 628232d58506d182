import type { IncomingMessage } from 'node:http'
import { FogbowError } from '@fogbow/plugin-sdk'
import readRawBody from 'raw-body'
import { findJsonError } from './json-position.ts'

const jsonType = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i
const otherCharset = /;\s*charset\s*=\s*"?(?!utf-?8\b)/i
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The body of a request as parsed JSON; `{}` when there is none. A content type that is absent is taken for JSON.
 * @throws unsupported_media_type, payload_too_large, or invalid_parameter that names the place of a mistake
 */
export async function readJsonBody(
  request: IncomingMessage,
  limitBytes: number,
): Promise<Record<string, unknown>> {
  assertJson(request)
  const bytes = await readBytes(request, limitBytes)
  if (bytes.length === 0) return {}
  const value = parseJson(decode(bytes))
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new FogbowError('invalid_parameter', 'The body must be a JSON object such as {"name": …}')
  }
  return value as Record<string, unknown>
}

function assertJson({ headers }: IncomingMessage): void {
  const type = headers['content-type']
  if (type && !(jsonType.test(type) && !otherCharset.test(type))) {
    const sent = type.slice(0, 100)
    const message = `Content-Type is ${sent}; send the body as application/json in UTF-8`
    throw new FogbowError('unsupported_media_type', message)
  }
  const encoding = headers['content-encoding']
  if (encoding && encoding.toLowerCase() !== 'identity') {
    const message = `Content-Encoding is ${encoding.slice(0, 100)}; send the body uncompressed`
    throw new FogbowError('unsupported_media_type', message)
  }
}

async function readBytes(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  try {
    return await readRawBody(request, {
      limit: limitBytes,
      length: request.headers['content-length'] ?? null,
    })
  } catch (error) {
    // Unread bytes would keep the connection busy, and cutting it could lose the answer on its way to the client.
    request.resume()
    const type = (error as { type?: unknown }).type
    if (type === 'entity.too.large') {
      const message = `The body is larger than ${limitBytes} bytes, the most that this site takes`
      throw new FogbowError('payload_too_large', message, { cause: error })
    }
    const message = 'The body ended before its Content-Length was reached; send it again'
    throw new FogbowError('invalid_parameter', message, { cause: error })
  }
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new FogbowError('invalid_parameter', 'The body is not UTF-8 text', { cause })
  }
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new FogbowError('invalid_parameter', describeMistake(text), { cause })
  }
}

function describeMistake(text: string): string {
  const offset = findJsonError(text)
  const before = text.slice(0, offset).split('\n')
  const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
  const found = offset < text.length ? JSON.stringify(text[offset]) : 'the end'
  return `The body is not valid JSON: ${found} is not expected at ${place} (position ${offset})`
}
