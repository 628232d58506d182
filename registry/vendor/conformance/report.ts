import { readFile, writeFile } from 'node:fs/promises'
import { FogbowError, schema, sdkVersion } from '@fogbow/plugin-sdk'
import { assertValid } from '@fogbow/plugin-sdk/validate'
import type { SignedDocument } from '../../marketplace.ts'
import { openDocument, signDocument } from '../../trust/signed-document.ts'
import type { SigningKey, VerifyingKey } from '../../trust/signing-key.ts'
import type { CaseResult, TestedPlugin } from './test-plugin.ts'

/** `type` of the signed document. */
export const conformanceReportType = 'fogbow-conformance-report'

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

/** What a plugin did when its conformance cases were run, and for which bundle. */
export interface ConformanceReport {
  plugin: { name: string; version: string; bundleHash: string }
  sdkVersion: string
  cases: CaseResult[]
}

const YEAR_MS = 365 * 24 * 3_600_000

/** Of a plugin that was bundled; good for a year. Later reports have larger numbers. */
export function signReport(
  { name, version, bundleHash, results }: TestedPlugin,
  key: SigningKey,
  now: number,
): SignedDocument<ConformanceReport> {
  if (bundleHash === undefined) {
    const problem = `${name} ${version} has no bundle, and a report is about one; run the cases in the sandbox as well`
    throw new FogbowError('unacceptable_operation', problem)
  }
  const signed = {
    type: conformanceReportType,
    issuedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + YEAR_MS).toISOString(),
    sequence: Math.floor(now / 1000),
    plugin: { name, version, bundleHash },
    sdkVersion,
    cases: results,
  }
  return signDocument<ConformanceReport>(signed, [key])
}

export async function writeReport(
  file: string,
  report: SignedDocument<ConformanceReport>,
): Promise<void> {
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`)
}

/**
 * The report in a file, if one of the keys signed it and its time is not over.
 * @throws configuration_error naming the file and what is wrong with it
 */
export async function readReport(
  file: string,
  keys: readonly VerifyingKey[],
  now: number,
): Promise<ConformanceReport> {
  const signed = openDocument(await readJson(file), {
    origin: `Report '${file}'`,
    type: conformanceReportType,
    keys,
    now,
  })
  assertValid(reportSchema, signed, file)
  return signed as unknown as ConformanceReport
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    const problem = `Report '${file}': ${(error as Error).message}`
    throw new FogbowError('configuration_error', problem, { cause: error })
  }
}
