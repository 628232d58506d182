import type { Store } from '../../store/index.ts'
import type { FederationSettings } from '../settings.ts'
import type { Clock, Log } from '../xmpp/index.ts'
import { createEncryption, isEncrypted } from './encryption.ts'
import { createEnvelopes, type Envelope, type Envelopes, MAX_ENVELOPE_LENGTH } from './envelope.ts'
import { createPeerKeys, type PeerKeys } from './peer-keys.ts'
import { createProofs, type Proof } from './proofs.ts'
import { createRefusals, Refusal, type Refusals } from './refusal.ts'
import { createSharedKeys } from './shared-keys.ts'
import type { SiteKeys } from './site-keys.ts'

/** Who may be believed, and how this site is believed by others. */
export interface Trust extends Envelopes {
  readonly peerKeys: PeerKeys
  readonly refusals: Refusals
  /** What peers should accept of this site. */
  readonly announced: readonly string[]
  /** Takes over the keys that an envelope announces, if it is signed. */
  learn(member: string, envelope: Envelope): Promise<void>
  /** How a read of a member, and its answer, are shown to be ours. */
  proofOfReads(member: string): Proof
  /** @throws Refusal `unsigned` when this site wants a signature there */
  assertProof(proof: Proof, of: 'read' | 'command'): void
  /**
   * Hides an envelope from the servers on the way, as far as the administrator wants it and the member can read it.
   * @throws Refusal `unencrypted` when it has to be hidden and cannot be
   */
  hide(member: string, text: string): Promise<string>
  /** Undoes `hide`. @throws Refusal */
  reveal(text: string): Promise<string>
}

export interface TrustParts {
  readonly siteId: string
  readonly keys: SiteKeys
  readonly store: Store
  readonly settings: () => FederationSettings
  readonly clock: Clock
  readonly log: Log
}

export function createTrust({ siteId, keys, store, settings, clock, log }: TrustParts): Trust {
  const peerKeys = createPeerKeys({ store, settings, clock, log })
  const encryption = createEncryption(() => keys.decryption)
  const own = { signing: () => keys.signing, encryption: () => keys.encryption }
  const sharedKeys = createSharedKeys({ siteId, own: () => keys.decryption, peerKeys })
  const proofs = createProofs({ ...own, peerKeys, sharedKeys })
  const envelopes = createEnvelopes({ siteId, proofs, clock })
  return {
    ...envelopes,
    peerKeys,
    refusals: createRefusals(log, clock),
    get announced() {
      return keys.announced
    },
    async learn(member, { proof, kid, claims: { keys: said } }) {
      if (proof === 'signed' && said !== undefined) await peerKeys.learn(member, said, kid)
    },
    proofOfReads: (member) =>
      settings().reads === 'shared' && proofs.canMake('shared', member) ? 'shared' : 'signed',
    assertProof(proof, of) {
      const needed = of === 'command' || settings().reads === 'signed'
      if (needed && proof !== 'signed')
        throw new Refusal('unsigned', `a ${of} has to be signed here`)
    },
    async hide(member, text) {
      const wanted = settings().encryption
      const key = wanted === 'never' ? undefined : peerKeys.encryption(member)
      if (key) return encryption.encrypt(text, key)
      if (wanted === 'always')
        throw new Refusal('unencrypted', `no key of ${member} for encryption is known here`)
      return text
    },
    async reveal(text) {
      if (text.length > 2 * MAX_ENVELOPE_LENGTH)
        throw new Refusal('too-large', `has ${text.length} characters`)
      if (isEncrypted(text)) return encryption.decrypt(text)
      if (settings().encryption === 'always')
        throw new Refusal('unencrypted', 'this site takes encrypted envelopes only')
      return text
    },
  }
}
