import type { Page } from '../../orders/index.ts'
import { isPercentEncoded } from '../router.ts'

/** Weak, because the order of fields may differ between two texts of one list (RFC 9110, section 8.8.3). */
export function entityTagOf(page: Page<unknown>): string {
  return `W/"${encodeURIComponent(page.version)}"`
}

/** The version of the list that a client has, when it names exactly one: a list of that version need not be read. */
export function versionNamedBy(ifNoneMatch: string | undefined): string | undefined {
  const [, version] = /^(?:W\/)?"([^"]*)"$/.exec(ifNoneMatch?.trim() ?? '') ?? []
  return version !== undefined && isPercentEncoded(version)
    ? decodeURIComponent(version)
    : undefined
}

/** Does `If-None-Match` name this tag? Compared weakly (RFC 9110, section 13.1.2). */
export function isUnchanged(ifNoneMatch: string | undefined, tag: string): boolean {
  if (!ifNoneMatch) return false
  if (ifNoneMatch.trim() === '*') return true
  const opaque = tag.slice(2)
  return ifNoneMatch.split(',').some((entry) => entry.trim().replace(/^W\//, '') === opaque)
}

/** `Link` to the following page: same path and filters, its cursor (RFC 8288). */
export function nextLink(path: string, query: string, cursor: string): string {
  const parameters = new URLSearchParams(query)
  parameters.set('cursor', cursor)
  return `<${path}?${parameters}>; rel="next"`
}
