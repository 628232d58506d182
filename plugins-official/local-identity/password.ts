import { scryptAsync } from '@noble/hashes/scrypt.js'

/** A hash in PHC string format, `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`: base64, with or without padding. */
export interface PasswordHash {
  /** log2 of the cost. */
  ln: number
  r: number
  p: number
  salt: Uint8Array
  hash: Uint8Array
}

const format =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{11,128})={0,2}\$([A-Za-z0-9+/]{22,128})={0,2}$/

const MOST_BYTES = 128 * 1024 ** 2

/** @returns undefined when it is none, or costs too little to be safe or more memory than a plugin has */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, ln, r, p, salt = '', hash = ''] = format.exec(text) ?? []
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) }
  const bytes = 128 * 2 ** cost.ln * cost.r
  const isBearable = cost.ln >= 10 && bytes > 0 && bytes <= MOST_BYTES && cost.p >= 1 && cost.p <= 4
  return isBearable ? { ...cost, salt: decode(salt), hash: decode(hash) } : undefined
}

/** A hash that no password has. */
export const unknownUserHash: PasswordHash = {
  ln: 15,
  r: 8,
  p: 1,
  salt: new Uint8Array(16),
  hash: new Uint8Array(32),
}

/** Gives way to other work every few milliseconds. */
export async function matches(password: string, expected: PasswordHash): Promise<boolean> {
  const { ln, r, p, salt, hash } = expected
  const options = { N: 2 ** ln, r, p, dkLen: hash.length, maxmem: 2 ** 29 }
  const actual = await scryptAsync(password.normalize('NFC'), salt, options)
  let difference = 0
  hash.forEach((byte, index) => {
    difference |= byte ^ (actual[index] ?? 0)
  })
  return difference === 0
}

function decode(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
}
