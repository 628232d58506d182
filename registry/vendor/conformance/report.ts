import { readFile, writeFile } from 'node:fs/promises'
import { FogbowError, sdkVersion } from '@fogbow/plugin-sdk'
import type { SignedDocument } from '../../marketplace.ts'
import {
  type ConformanceReport,
  conformanceReportType,
  openReport,
} from '../../trust/conformance-report.ts'
import { signDocument } from '../../trust/signed-document.ts'
import type { SigningKey, VerifyingKey } from '../../trust/signing-key.ts'
import type { TestedPlugin } from './test-plugin.ts'

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
  return openReport(await readJson(file), { origin: `Report '${file}'`, keys, now })
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    const problem = `Report '${file}': ${(error as Error).message}`
    throw new FogbowError('configuration_error', problem, { cause: error })
  }
}
