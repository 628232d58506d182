export type {
  CallSettings,
  Federation,
  MemberId,
  MemberNaming,
  MemberSource,
  MemberView,
  RemoteCall,
  RemoteMethod,
} from './contract.ts'
export {
  createFederation,
  type FederationCounts,
  type FederationHost,
  type FederationParts,
} from './federation.ts'
export {
  defaultFederationSettings,
  type FederationSettings,
  type PeerSettings,
} from './settings.ts'
export { jidOf, siteOf } from './site-jid.ts'
export { openSiteKeys, readConfigured, type SiteKeys } from './trust/index.ts'
