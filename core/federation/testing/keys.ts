import { generateKeyPairSync } from 'node:crypto'
import { publicKey, writePublicKey } from '../trust/public-key.ts'
import type { KeyPair, SiteKeys } from '../trust/site-keys.ts'

export function makeKeyPair(use: 'sig' | 'enc'): KeyPair {
  const { privateKey } =
    use === 'sig' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')
  return { ...publicKey(use, String(privateKey.export({ format: 'jwk' }).x)), privateKey }
}

/** Keys that live as long as the test. */
export function makeSiteKeys(): SiteKeys {
  let signing = makeKeyPair('sig')
  let other: KeyPair | undefined
  let decryption = [makeKeyPair('enc')] as [KeyPair, ...KeyPair[]]
  return {
    get signing() {
      return signing
    },
    get encryption() {
      return decryption[0]
    },
    get decryption() {
      return decryption
    },
    get announced() {
      return [signing, other, ...decryption].filter((key) => key !== undefined).map(writePublicKey)
    },
    async announceNext() {
      other = makeKeyPair('sig')
      decryption = [decryption[0], makeKeyPair('enc')]
      return writePublicKey(other)
    },
    async takeNext() {
      if (other) [signing, other] = [other, signing]
      decryption = decryption.toReversed() as [KeyPair, ...KeyPair[]]
    },
    async dropFormer() {
      other = undefined
      decryption = [decryption[0]]
    },
  }
}
