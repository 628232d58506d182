export type { AuditTable, Database, LogInTable, OrderTable } from './schema.ts'
export { openSqliteStore } from './sqlite-store.ts'
export type { Store, UnitOfWork } from './store.ts'
