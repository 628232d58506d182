import type { KeyObject } from 'node:crypto'
import { CompactEncrypt, type CompactJWEHeaderParameters, compactDecrypt } from 'jose'
import type { PublicKey } from './public-key.ts'
import { Refusal } from './refusal.ts'
import type { KeyPair } from './site-keys.ts'

/** Compact JWE (RFC 7516) around a signed envelope: the servers on the way see who speaks to whom, and how much. */
export interface Encryption {
  /** @param text - ASCII */
  encrypt(text: string, to: PublicKey): Promise<string>
  /** @throws Refusal `undecryptable` */
  decrypt(text: string): Promise<string>
}

const ALGORITHM = 'ECDH-ES'
const METHOD = 'A256GCM'

export function createEncryption(own: () => readonly KeyPair[]): Encryption {
  function keyFor({ kid }: CompactJWEHeaderParameters): KeyObject {
    const key = own().find((pair) => pair.kid === kid)
    if (key) return key.privateKey
    throw new Error('it is for another key')
  }

  return {
    encrypt(text, { kid, key }) {
      return new CompactEncrypt(Buffer.from(text))
        .setProtectedHeader({ alg: ALGORITHM, enc: METHOD, kid })
        .encrypt(key)
    },
    async decrypt(text) {
      try {
        const { plaintext } = await compactDecrypt(text, keyFor, {
          keyManagementAlgorithms: [ALGORITHM],
          contentEncryptionAlgorithms: [METHOD],
        })
        return Buffer.from(plaintext).toString('latin1')
      } catch {
        throw new Refusal('undecryptable', 'it is not encrypted to a key of this site')
      }
    },
  }
}

/** A JWE has five parts, a JWS three. */
export function isEncrypted(text: string): boolean {
  let dots = 0
  for (let at = text.indexOf('.'); at >= 0 && dots < 4; at = text.indexOf('.', at + 1)) dots += 1
  return dots === 4
}
