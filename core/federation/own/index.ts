export { createOwnDialect, type OwnDialect, type OwnDialectParts } from './own-dialect.ts'
export { NAMESPACE as OWN_NAMESPACE } from './protocol.ts'
