import { FogbowError } from '@fogbow/plugin-sdk'
import type { FakeHost } from '@fogbow/plugin-sdk/testing'
import type { HostCall, HostMethod } from '@fogbow/sandbox'

export type HostForTests = FakeHost<Record<string, unknown>>

/** What a plugin in a sandbox may call on its host, answered by the host for tests. */
export function hostMethods(
  { secrets, storage }: HostForTests,
  network: boolean,
): Record<string, HostMethod> {
  return {
    'secrets.get': ([name]) => secrets.get(String(name)),
    'storage.get': async ([key]) => {
      const value = await storage.get(String(key))
      return value === undefined ? [] : [value]
    },
    'storage.set': ([key, value]) => storage.set(String(key), value),
    'storage.delete': ([key]) => storage.delete(String(key)),
    'storage.list': ([prefix, options]) => storage.list(String(prefix), (options ?? {}) as object),
    'storage.write': ([changes]) => storage.write(changes as []),
    ...(network && { fetch: ([request], call) => fetchDirectly(request as FetchMessage, call) }),
  }
}

/** As the plugin's `fetch` sends it; the body in base64, or the number of a stream. */
interface FetchMessage {
  url: string
  method: string
  headers: [string, string][]
  body?: string
  bodyStream?: unknown
}

/** Grants and limits are a site's; here the plugin is tried with the service of its author. */
async function fetchDirectly(request: FetchMessage, call: HostCall): Promise<unknown> {
  const { url, method, headers, body, bodyStream } = request
  const upload = bodyStream === undefined ? undefined : call.streams.take(bodyStream)
  try {
    const response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      signal: call.signal,
      ...(body !== undefined && { body: Buffer.from(body, 'base64') }),
      ...(upload && { duplex: 'half' as const, body: ReadableStream.from(upload) }),
    })
    // The body arrives decoded, so that these two would be untrue.
    const kept = [...response.headers].filter(
      ([name]) => name !== 'content-encoding' && name !== 'content-length',
    )
    const bytes = Buffer.from(await response.arrayBuffer())
    const { status, statusText } = response
    return { status, statusText, headers: kept, body: bytes.toString('base64') }
  } catch (error) {
    const problem = `${url} cannot be reached: ${(error as Error).message}`
    throw new FogbowError('unavailable_provider', problem, { cause: error })
  }
}
