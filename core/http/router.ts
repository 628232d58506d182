import { FogbowError } from '@fogbow/plugin-sdk'
import createFindMyWay from 'find-my-way'
import type { Method, Route } from './routes/route.ts'

export interface Match {
  route: Route
  params: Record<string, string>
  /** Text after the question mark. */
  query: string
}

export interface Router {
  /** @throws not_found, method_not_allowed, or invalid_parameter for a path that is not percent-encoded rightly */
  match(method: string, url: string): Match
  /** Methods that the path offers, none when there is no such path. */
  methodsOf(url: string): Method[]
}

const methods: readonly Method[] = ['GET', 'POST', 'PUT', 'DELETE']

/** Longer values are no id of ours; the limit only keeps the tree search from work for nothing. */
const MAX_PARAM_LENGTH = 4096

/** Trailing and repeated slashes are accepted because clients of the original service send them. */
export function createRouter(routes: readonly Route[]): Router {
  const tree = createFindMyWay({
    ignoreTrailingSlash: true,
    ignoreDuplicateSlashes: true,
    caseSensitive: true,
    maxParamLength: MAX_PARAM_LENGTH,
    querystringParser: (text) => text,
  })
  for (const route of routes) {
    tree.on(route.method, route.path.replace(/\{(\w+)\}/g, ':$1'), notCalled, route)
  }
  const methodsOf = (url: string) => methods.filter((method) => tree.find(method, url) !== null)

  return {
    methodsOf,
    match(method, url) {
      const found = tree.find((method === 'HEAD' ? 'GET' : method) as Method, url)
      if (!found) throw noMatch(method, url, methodsOf(url))
      return {
        route: found.store,
        params: found.params as Record<string, string>,
        query: found.searchParams as unknown as string,
      }
    },
  }
}

function noMatch(method: string, url: string, offered: Method[]): FogbowError {
  const path = pathOf(url)
  if (offered.length > 0) {
    return new FogbowError(
      'method_not_allowed',
      `${path} does not offer ${method}, only ${offered.join(', ')}`,
      { details: { allow: offered } },
    )
  }
  if (!isPercentEncoded(path)) {
    return new FogbowError('invalid_parameter', `The path ${path} is not percent-encoded rightly`)
  }
  return new FogbowError('not_found', `There is no ${path} here; /docs lists what there is`)
}

/** Path of a request target, without query. */
export function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

export function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Routes are looked up, never called by the tree. */
function notCalled(): void {}
