import { setTimeout as sleep } from 'node:timers/promises'
import { asFogbowError } from '@fogbow/plugin-sdk'
import { type ConformanceCase, conformanceInProcess } from '@fogbow/plugin-sdk/testing'
import type { CaseResult, Place } from '../../trust/conformance-report.ts'
import { type LoadedPlugin, loadPluginPackage, type PluginPackage } from './plugin-package.ts'
import { conformanceInSandbox } from './sandboxed.ts'

export interface TestListener {
  onStart(title: string): void
  onResult(result: CaseResult): void
}

export interface TestedPlugin {
  name: string
  version: string
  /** SHA-256 of the bundle; absent where it was not bundled, or could not be. */
  bundleHash?: string
  results: CaseResult[]
}

/** A case that needs no network and still takes this long hangs. */
const CASE_TIMEOUT_MS = 60_000
const NETWORK_CASE_TIMEOUT_MS = 600_000

/** What every bundle has to do before any kind is looked at. */
const SANDBOX_START = 'the bundle passes the gate and starts in a sandbox'

/** Runs all cases for a plugin, in this process and then in a sandbox. */
export async function testPlugin(
  folder: string,
  listener: TestListener,
  { places = ['process', 'sandbox'] }: { places?: readonly Place[] } = {},
): Promise<TestedPlugin> {
  const plugin = await loadPluginPackage(folder)
  const { name, version, manifest } = plugin
  listener.onStart(`${name} ${version}: ${manifest.kinds.join(', ')}`)
  const results: CaseResult[] = []
  const report = (result: CaseResult) => {
    listener.onResult(result)
    results.push(result)
  }
  if (places.includes('process')) await testInProcess(plugin, report)
  const bundleHash = places.includes('sandbox') ? await testInSandbox(plugin, report) : undefined
  return { name, version, ...(bundleHash !== undefined && { bundleHash }), results }
}

type Report = (result: CaseResult) => void

async function testInProcess(plugin: LoadedPlugin, report: Report): Promise<void> {
  const { definition, conformance, manifest } = plugin
  const cases = await conformanceInProcess(definition, conformance, manifest.kinds)
  await runCases(cases, 'process', plugin, report)
}

/** @returns the hash of the bundle; undefined when there is none */
async function testInSandbox(plugin: PluginPackage, report: Report): Promise<string | undefined> {
  const start = { place: 'sandbox', kind: 'sandbox', name: SANDBOX_START } as const
  try {
    const { bundleHash, cases, skip, stop } = await conformanceInSandbox(plugin)
    const outcome = skip === undefined ? 'passed' : 'skipped'
    report({ ...start, outcome, ...(skip !== undefined && { reason: skip }) })
    await runCases(cases, 'sandbox', plugin, report).finally(stop)
    return bundleHash
  } catch (error) {
    report({ ...start, outcome: 'failed', reason: reasonOf(error) })
    return undefined
  }
}

async function runCases(
  cases: readonly ConformanceCase[],
  place: Place,
  { conformance }: PluginPackage,
  report: Report,
): Promise<void> {
  const timeoutMs = conformance.network ? NETWORK_CASE_TIMEOUT_MS : CASE_TIMEOUT_MS
  for (const each of cases) report({ place, ...(await runCase(each, timeoutMs)) })
}

async function runCase(
  { kind, name, skip, run }: ConformanceCase,
  timeoutMs: number,
): Promise<Omit<CaseResult, 'place'>> {
  if (skip !== undefined) return { kind, name, outcome: 'skipped', reason: skip }
  try {
    await withinTime(run(), timeoutMs)
    return { kind, name, outcome: 'passed' }
  } catch (error) {
    return { kind, name, outcome: 'failed', reason: reasonOf(error) }
  }
}

async function withinTime(running: Promise<void>, timeoutMs: number): Promise<void> {
  const done = new AbortController()
  const late = sleep(timeoutMs, 'late', { signal: done.signal }).catch(() => 'done')
  const first = await Promise.race([running, late]).finally(() => done.abort())
  if (first === 'late') throw new Error(`it did not end within ${timeoutMs / 1000} s`)
}

function reasonOf(error: unknown): string {
  const { code, message } = asFogbowError(error)
  const isAssertion = error instanceof Error && error.name === 'AssertionError'
  return isAssertion ? error.message : `${code}: ${message}`
}
