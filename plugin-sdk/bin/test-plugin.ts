import { setTimeout as sleep } from 'node:timers/promises'
import { asFogbowError } from '../errors.ts'
import type { ConformanceCase } from '../testing/conformance.ts'
import { conformanceInProcess } from '../testing/in-process.ts'
import { loadPluginPackage } from './plugin-package.ts'

export interface CaseResult {
  kind: string
  name: string
  outcome: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped. */
  reason?: string
}

export interface TestListener {
  onStart(title: string): void
  onResult(result: CaseResult): void
}

/** A case that needs no network and still takes this long hangs. */
const CASE_TIMEOUT_MS = 60_000
const NETWORK_CASE_TIMEOUT_MS = 600_000

/** Runs all cases for a plugin in this process. */
export async function testPlugin(
  folder: string,
  listener: TestListener,
): Promise<{ name: string; version: string; results: CaseResult[] }> {
  const plugin = await loadPluginPackage(folder)
  const { name, version, manifest } = plugin
  listener.onStart(`${name} ${version}: ${manifest.kinds.join(', ')}`)
  const timeoutMs = plugin.conformance.network ? NETWORK_CASE_TIMEOUT_MS : CASE_TIMEOUT_MS
  const results: CaseResult[] = []
  for (const each of await conformanceInProcess(
    plugin.definition,
    plugin.conformance,
    manifest.kinds,
  )) {
    const result = await runCase(each, timeoutMs)
    listener.onResult(result)
    results.push(result)
  }
  return { name, version, results }
}

async function runCase(
  { kind, name, skip, run }: ConformanceCase,
  timeoutMs: number,
): Promise<CaseResult> {
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
