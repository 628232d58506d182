export {
  CLOCK_SKEW_MS,
  type Envelope,
  type EnvelopeType,
  MAX_ENVELOPE_LENGTH,
  reopen,
  type Sealed,
} from './envelope.ts'
export { type PeerKeys, readConfigured } from './peer-keys.ts'
export type { Proof } from './proofs.ts'
export { type PublicKey, readPublicKey, type WrittenKey, writePublicKey } from './public-key.ts'
export { createRefusals, Refusal, type RefusalReason, type Refusals } from './refusal.ts'
export { createReplays, type Replays } from './replays.ts'
export { openSiteKeys, type SiteKeyFile, type SiteKeys } from './site-keys.ts'
export { createTrust, type Trust } from './trust.ts'
