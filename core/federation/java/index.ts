export { createJavaDialect } from './java-dialect.ts'
export type { LaterMethod } from './methods.ts'
export type { JavaDialectSettings } from './settings.ts'
