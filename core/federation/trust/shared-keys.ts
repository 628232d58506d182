import { createSecretKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto'
import type { PeerKeys } from './peer-keys.ts'
import type { KeyPair } from './site-keys.ts'

/**
 * Keys that this site has in common with one other, from the X25519 keys of both (RFC 7748) by HKDF (RFC 5869): nobody has to
 * be asked for them, and nobody else can know them.
 */
export interface SharedKeys {
  /** @param kid - of the member's key. @returns one for each key of this site, the present first; none unless it is one of its keys */
  with(member: string, kid: string): readonly KeyObject[]
}

const MOST_KEPT = 2000

export interface SharedKeyParts {
  readonly siteId: string
  readonly own: () => readonly KeyPair[]
  readonly peerKeys: Pick<PeerKeys, 'find'>
}

export function createSharedKeys({ siteId, own, peerKeys }: SharedKeyParts): SharedKeys {
  const kept = new Map<string, KeyObject>()

  function agree(member: string, { privateKey }: KeyPair, publicKey: KeyObject): KeyObject {
    const secret = diffieHellman({ privateKey, publicKey })
    const purpose = `fogbow:federation:1 ${[siteId, member].sort().join(' ')}`
    return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', purpose, 32)))
  }

  function shared(member: string, kid: string, pair: KeyPair, publicKey: KeyObject): KeyObject {
    const name = `${member} ${kid} ${pair.kid}`
    let key = kept.get(name)
    if (!key) {
      key = agree(member, pair, publicKey)
      if (kept.size >= MOST_KEPT) kept.clear()
      kept.set(name, key)
    }
    return key
  }

  return {
    with(member, kid) {
      const publicKey = peerKeys.find(member, kid, 'enc')
      return publicKey ? own().map((pair) => shared(member, kid, pair, publicKey)) : []
    },
  }
}
