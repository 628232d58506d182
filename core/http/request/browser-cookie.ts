import { randomBytes } from 'node:crypto'

/** By which a browser is known again when the identity provider sends it back; nobody is logged in by it. */
export interface BrowserCookie {
  /** The secret that a browser sent; undefined when it sent none. */
  read(header: string | undefined): string | undefined
  /** Value of `Set-Cookie`. */
  write(secret: string): string
}

const MAX_AGE_SECONDS = 3600
const SECRET_BYTES = 32

export function randomBrowserSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url')
}

/**
 * Lax, since the way back begins at another site. With TLS it has the prefix that no other host of the domain can forge
 * (RFC 6265bis, section 4.1.3.2).
 */
export function browserCookie(publicUrl: string): BrowserCookie {
  const isSecure = publicUrl.startsWith('https:')
  const name = isSecure ? '__Host-fogbow-browser' : 'fogbow-browser'
  const form = new RegExp(`(?:^|;\\s*)${name}=([\\w-]{43})(?:;|$)`)
  const rest = `Path=/; Max-Age=${MAX_AGE_SECONDS}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`
  return {
    read: (header) => form.exec(header ?? '')?.[1],
    write: (secret) => `${name}=${secret}; ${rest}`,
  }
}
