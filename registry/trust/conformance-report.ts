import { schema } from '@fogbow/plugin-sdk'
import { assertValid } from '@fogbow/plugin-sdk/validate'
import { openDocument } from './signed-document.ts'
import type { VerifyingKey } from './signing-key.ts'

/** `type` of the signed document. */
export const conformanceReportType = 'fogbow-conformance-report'

/** Name of the file in a package. */
export const reportFile = 'fogbow.conformance-report.json'

/** Where a case was run. */
export type Place = 'process' | 'sandbox'

export interface CaseResult {
  place: Place
  kind: string
  name: string
  outcome: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped. */
  reason?: string
}

/** What a plugin did when its conformance cases were run, and for which bundle. */
export interface ConformanceReport {
  plugin: { name: string; version: string; bundleHash: string }
  sdkVersion: string
  cases: CaseResult[]
}

const reportSchema = schema({
  type: 'object',
  required: ['plugin', 'sdkVersion', 'cases'],
  properties: {
    plugin: {
      type: 'object',
      required: ['name', 'version', 'bundleHash'],
      properties: {
        name: { type: 'string', maxLength: 214 },
        version: { type: 'string', maxLength: 256 },
        bundleHash: { type: 'string', pattern: '^[0-9a-f]{64}$' },
      },
    },
    sdkVersion: { type: 'string', maxLength: 256 },
    cases: {
      type: 'array',
      maxItems: 10_000,
      items: {
        type: 'object',
        required: ['place', 'kind', 'name', 'outcome'],
        properties: {
          place: { type: 'string', enum: ['process', 'sandbox'] },
          kind: { type: 'string', maxLength: 64 },
          name: { type: 'string', maxLength: 1024 },
          outcome: { type: 'string', enum: ['passed', 'failed', 'skipped'] },
          reason: { type: 'string' },
        },
      },
    },
  },
})

/**
 * A report that one of the keys signed and whose time is not over.
 * @param origin - how it is called in errors
 * @throws configuration_error naming it and what is wrong with it
 */
export function openReport(
  document: unknown,
  { origin, keys, now }: { origin: string; keys: readonly VerifyingKey[]; now: number },
): ConformanceReport {
  const signed = openDocument(document, { origin, type: conformanceReportType, keys, now })
  assertValid(reportSchema, signed, origin)
  return signed as unknown as ConformanceReport
}

/** Why a report says nothing good about a bundle; undefined when nothing that was run failed. */
export function problemOfReport(
  { plugin, cases }: ConformanceReport,
  { name, version, hash }: { name: string; version: string; hash: string },
): string | undefined {
  if (plugin.name !== name || plugin.version !== version)
    return `it is about ${plugin.name}@${plugin.version}`
  if (plugin.bundleHash !== hash) return `it is about bundle ${plugin.bundleHash}, and not ${hash}`
  const failed = cases.find(({ outcome }) => outcome === 'failed')
  return failed && `'${failed.name}' of ${failed.kind} failed`
}

/** What a plugin does in this process is not what it does where it is kept apart. */
export function isTriedInSandbox({ cases }: ConformanceReport): boolean {
  return cases.some(({ place, outcome }) => place === 'sandbox' && outcome === 'passed')
}
