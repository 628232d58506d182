import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe } from 'node:test'
import {
  detectIsolation,
  type IsolationLevel,
  type Launcher,
  processLauncher,
  workerLauncher,
} from '@fogbow/sandbox'

/** One way to isolate, as this machine offers it. */
export interface Tier {
  level: IsolationLevel
  launcher: Launcher
}

/** The tiers that this machine has, weakest first; what they keep goes when the tests of the file are through. */
export async function openTiers(): Promise<Tier[]> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'fogbow-wall-'))
  after(() => rmSync(cacheDir, { recursive: true, force: true }))
  const isolation = await detectIsolation()
  const launchers = [workerLauncher({ cacheDir }), processLauncher({ cacheDir, isolation })]
  return launchers.map((launcher) => ({ level: launcher.level, launcher }))
}

/** Runs the same tests in each tier. */
export async function inEachTier(tests: (tier: Tier) => void): Promise<void> {
  for (const tier of await openTiers()) describe(`in the ${tier.level} tier`, () => tests(tier))
}
