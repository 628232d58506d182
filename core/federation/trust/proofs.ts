import { createHmac, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto'
import type { PeerKeys } from './peer-keys.ts'
import { Refusal } from './refusal.ts'
import type { SharedKeys } from './shared-keys.ts'
import type { KeyPair } from './site-keys.ts'

/**
 * How an envelope shows who made it. `signed`: anybody can check it (Ed25519, RFC 8037). `shared`: the two sites can, in a
 * thirtieth of the time (HMAC under the key that they share); good for what changes nothing.
 */
export type Proof = 'signed' | 'shared'

export interface Proofs {
  /** Whether the member can check what is shown this way. */
  canMake(proof: Proof, member: string): boolean
  /** Name of the key with which this site makes it. */
  kidOf(proof: Proof): string
  make(proof: Proof, member: string, input: string): string
  /** @throws Refusal `unknown-key` or `bad-signature` */
  check(proof: Proof, member: string, kid: string, input: string, made: string): void
}

export const algorithms: Readonly<Record<Proof, string>> = { signed: 'EdDSA', shared: 'HS256' }
/** Characters in base64url. */
export const proofLengths: Readonly<Record<Proof, number>> = { signed: 86, shared: 43 }

export interface ProofParts {
  readonly signing: () => KeyPair
  readonly encryption: () => KeyPair
  readonly peerKeys: Pick<PeerKeys, 'find' | 'encryption'>
  readonly sharedKeys: SharedKeys
}

export function createProofs({ signing, encryption, peerKeys, sharedKeys }: ProofParts): Proofs {
  function sharedWith(member: string): KeyObject | undefined {
    const theirs = peerKeys.encryption(member)
    return theirs && sharedKeys.with(member, theirs.kid)[0]
  }

  return {
    canMake: (proof, member) => proof === 'signed' || sharedWith(member) !== undefined,
    kidOf: (proof) => (proof === 'signed' ? signing() : encryption()).kid,
    make(proof, member, input) {
      if (proof === 'signed')
        return sign(null, Buffer.from(input), signing().privateKey).toString('base64url')
      const key = sharedWith(member)
      if (!key) throw new Error(`there is no key shared with ${member}`)
      return createHmac('sha256', key).update(input).digest('base64url')
    },
    check(proof, member, kid, input, made) {
      const keys = proof === 'signed' ? signer(member, kid) : sharedKeys.with(member, kid)
      if (keys.length === 0) throw new Refusal('unknown-key', `${member} has no key ${kid} here`)
      const bytes = Buffer.from(made, 'base64url')
      const isRight = proof === 'signed' ? isSigned : isShared
      if (!keys.some((key) => isRight(key, input, bytes)))
        throw new Refusal('bad-signature', 'the signature is not that of the key')
    },
  }

  function signer(member: string, kid: string): readonly KeyObject[] {
    const key = peerKeys.find(member, kid, 'sig')
    return key ? [key] : []
  }
}

function isSigned(key: KeyObject, input: string, made: Uint8Array): boolean {
  return verify(null, Buffer.from(input), key, made)
}

function isShared(key: KeyObject, input: string, made: Uint8Array): boolean {
  return timingSafeEqual(createHmac('sha256', key).update(input).digest(), made)
}
