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
  const encryption = makeKeyPair('enc')
  return {
    get signing() {
      return signing
    },
    encryption,
    get announced() {
      return [signing, other, encryption].filter((key) => key !== undefined).map(writePublicKey)
    },
    async announceNext() {
      other = makeKeyPair('sig')
      return writePublicKey(other)
    },
    async takeNext() {
      if (other) [signing, other] = [other, signing]
    },
    async dropFormer() {
      other = undefined
    },
  }
}
