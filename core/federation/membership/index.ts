export { type MemberCertificate, readCertificate, readKeys } from './certificate.ts'
export { type Heartbeat, makeHeartbeat, readHeartbeat, toCertificate } from './heartbeat.ts'
export { type JsonFile, openJsonFile } from './json-file.ts'
export {
  createMembership,
  type Membership,
  type MembershipParts,
  type StatedKeys,
} from './membership.ts'
export { readAllPages, synchronisation, type WholeList } from './pages.ts'
export {
  bareJid,
  extended,
  I_AM_ALIVE,
  isMemberJid,
  OWN,
  ownChild,
  PAGING,
  SYNC,
  WHO_IS_ALIVE,
} from './protocol.ts'
export type { Admission, MembershipSettings, RendezvousPeer } from './settings.ts'
export { type Met, makeStatement, type Statement } from './statement.ts'
export type { KnownMember, Listed, MembershipView, SourceView } from './view.ts'
