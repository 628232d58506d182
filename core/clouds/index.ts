export type { CloudConnector, ReportedInstance } from './connector.ts'
export { createLocalClouds, type LocalClouds } from './local.ts'
