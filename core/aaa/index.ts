export { type Audit, type AuditRow, createAudit } from './audit.ts'
export { createLogInLimits } from './log-in-limits.ts'
export { createLogInRecords, type LogInOutcome, logInOutcomes } from './log-in-records.ts'
export { createLogIns, type LogIns } from './log-ins.ts'
export {
  createLoginsElsewhere,
  type DeviceLogin,
  type DevicePoll,
  type LoginSource,
  type LoginsElsewhere,
} from './logins-elsewhere.ts'
export { createPendingLogins, type PendingLogins } from './pending-logins.ts'
export { type AaaPipeline, type AuthenticUser, createAaaPipeline } from './pipeline.ts'
export { loadRevocations, type Revocations } from './revocations.ts'
