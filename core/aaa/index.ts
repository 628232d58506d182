export { type Audit, type AuditRow, createAudit } from './audit.ts'
export { type AaaPipeline, type AuthenticUser, createAaaPipeline } from './pipeline.ts'
export { loadRevocations, type Revocations } from './revocations.ts'
