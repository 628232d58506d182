export {
  type CaseResult,
  type ConformanceReport,
  conformanceReportType,
  reportFile,
} from '../trust/conformance-report.ts'
export { readReport, signReport } from './conformance/report.ts'
export { type TestedPlugin, testPlugin } from './conformance/test-plugin.ts'
export { type DevSite, startDevSite } from './dev/dev-site.ts'
export { createKeyFile, readKeyFile, readPublicKey } from './key-file.ts'
export { type PackedPlugin, type PackRequest, packPlugin } from './pack/pack-plugin.ts'
export { sbomFile } from './pack/packed-files.ts'
export type { Rule } from './validate/rule.ts'
export { rules } from './validate/rules/index.ts'
export type { SubjectOptions } from './validate/subject.ts'
export { type RuleResult, type Validation, validatePlugin } from './validate/validate.ts'
