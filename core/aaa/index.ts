export { type Audit, type AuditRow, createAudit } from './audit.ts'
export {
  createLogins,
  type DeviceLogin,
  type DevicePoll,
  type LoginSource,
  type Logins,
} from './logins.ts'
export { createPendingLogins, type PendingLogins } from './pending-logins.ts'
export { type AaaPipeline, type AuthenticUser, createAaaPipeline } from './pipeline.ts'
export { loadRevocations, type Revocations } from './revocations.ts'
