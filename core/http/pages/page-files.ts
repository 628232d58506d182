import { readFileSync } from 'node:fs'

/** Text of a file beside this one. */
export function readPageFile(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}

/** Everything from this site alone, nothing inline, never in a frame. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export function pageHeaders(contentType: string): Readonly<Record<string, string>> {
  const cache = { 'Cache-Control': 'no-cache' }
  if (!contentType.startsWith('text/html')) return cache
  return {
    ...cache,
    'Content-Security-Policy': contentSecurityPolicy,
    'Referrer-Policy': 'no-referrer',
  }
}
