import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after } from 'node:test'
import type { Certificates } from './certificates.ts'

/** One request as a test server sees it. */
export interface SeenRequest {
  method: string
  url: URL
  headers: IncomingMessage['headers']
  body: string
}

export interface Answer {
  status?: number
  headers?: Record<string, string>
  body: string | object
}

/**
 * Serves HTTPS as `NAME.cloud.example` on a free port of this machine; ends with the tests of the file.
 * @returns its origin
 */
export function startHttps(
  name: string,
  certificates: Certificates,
  answer: (request: SeenRequest) => Answer,
): Promise<string> {
  return listen(name, certificates, async (request, response) => {
    const {
      status = 200,
      headers = {},
      body,
    } = answer({
      method: request.method ?? '',
      url: new URL(request.url ?? '', 'https://server'),
      headers: request.headers,
      body: await text(request),
    })
    const type = typeof body === 'string' ? 'text/xml' : 'application/json'
    response.writeHead(status, { 'content-type': type, ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
}

export async function listen(
  name: string,
  certificates: Certificates,
  listener: RequestListener,
): Promise<string> {
  const { key, certificate: cert } = certificates
  const server = createServer({ key, cert }, listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `https://${name}.cloud.example:${(server.address() as AddressInfo).port}`
}
