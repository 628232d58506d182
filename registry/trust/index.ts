export type { Candidate, PackageFile, RegistrySignature } from './candidate.ts'
export { canonicalJson } from './canonical-json.ts'
export {
  type ConformanceReport,
  conformanceReportType,
  reportFile,
} from './conformance-report.ts'
export { createFirstSeen, type FirstSeen } from './first-seen.ts'
export { createJudge, type Judge, type JudgeOptions } from './judge.ts'
export { createMemberVetting, type MemberVetting } from './member-vetting.ts'
export {
  policySchema,
  readKey,
  readPolicy,
  type TrustPolicy,
  type WrittenPolicy,
} from './policy.ts'
export { createProvenanceReader, type ProvenanceReader } from './provenance.ts'
export { type RegistryKey, readRegistryKey, type WrittenRegistryKey } from './registry-signature.ts'
export { isRevoked } from './revocation.ts'
export { createRevocations, type Revocations, revocationListType } from './revocations.ts'
export { openDocument, signDocument } from './signed-document.ts'
export { createSignedSources, type SignedSource, type SignedSources } from './signed-source.ts'
export {
  createSigningKey,
  readSigningKey,
  readVerifyingKey,
  type SigningKey,
  type VerifyingKey,
} from './signing-key.ts'
export { signatureFile, signPackage, type VendorSignature } from './vendor-signature.ts'
