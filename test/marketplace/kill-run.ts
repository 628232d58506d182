import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packed } from '../../registry/fixtures/packages.ts'
import { type Chance, createChance, pick } from '../federation/sites/chance.ts'
import { ADMIN_PASSWORD, SiteProcess } from '../system/support/site-process.ts'
import { type GenerationView, Market, marketConfig } from './support/market-site.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'

export interface KillRunOptions {
  kills: number
  seed: number
}

export interface KillRunResult {
  /** Changes whose answer arrived. */
  acknowledged: number
  /** Kills in the middle of a plan and of an application, and in between. */
  killedIn: Record<Phase | 'between', number>
  /** Every broken promise in words; empty when all were kept. */
  problems: string[]
}

type Phase = 'plan' | 'apply'

/** What is known outside of the site, over all of its lives. */
interface Knowledge {
  /** Number of the newest generation that somebody was told of. */
  acknowledged: number
  changes: number
  under: Phase | 'between'
  /** How long each took last, ms: a kill comes anywhere within. */
  lasted: Record<Phase, number>
}

const versions = ['1.0.0', '1.1.0', '1.2.0'] as const

/** Kills a site over and over while plugins are installed, configured and rolled back; looks at it after each start. */
export async function killRun(options: KillRunOptions): Promise<KillRunResult> {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-market-kill-'))
  const chance = createChance(options.seed)
  const tarballs = versions.map((version) => {
    const file = join(folder, `${version}.tgz`)
    writeFileSync(file, packed(vendorVersion({ version })))
    return file
  })
  // Nobody listens there: everything is done with what is on this machine.
  const config = marketConfig({
    registry: 'http://127.0.0.1:9/',
    site: { isolation: { spares: 0 } },
  })
  const known: Knowledge = {
    acknowledged: 0,
    changes: 0,
    under: 'between',
    lasted: { plan: 300, apply: 200 },
  }
  const result: KillRunResult = {
    acknowledged: 0,
    killedIn: { plan: 0, apply: 0, between: 0 },
    problems: [],
  }
  let token: string | undefined
  let order: string | undefined
  try {
    for (let kill = 0; kill <= options.kills; kill++) {
      const site = await SiteProcess.start({ folder, config })
      try {
        const client = site.client()
        token ??= await client.login('admin', ADMIN_PASSWORD)
        client.token = token
        const market = new Market(client)
        if (kill === 0) {
          const first = await market.change({ action: 'install', source: tarballs[0] })
          known.acknowledged = first.number
          order = await market.order()
          await market.ready(order)
        }
        const found = await problemsOf(market, known, order ?? '')
        result.problems.push(...found.map((problem) => `after kill ${kill}: ${problem}`))
        if (kill === options.kills) break
        const under = await killAtWork(site, market, tarballs, known, chance)
        result.killedIn[under]++
      } finally {
        await site.kill()
      }
    }
    return { ...result, acknowledged: known.changes }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Kills the site somewhere within a plan or an application. @returns where it was met */
async function killAtWork(
  site: SiteProcess,
  market: Market,
  tarballs: readonly string[],
  known: Knowledge,
  chance: Chance,
): Promise<Knowledge['under']> {
  const aim = pick(['plan', 'apply'] as const, chance)
  const afterMs = chance() * known.lasted[aim]
  let killed: Promise<Knowledge['under']> | undefined
  const enter = (phase: Phase) => {
    known.under = phase
    if (phase === aim) killed ??= killAfter(site, afterMs, known)
    return performance.now()
  }
  try {
    for (;;) {
      const plannedAt = enter('plan')
      const plan = await market.plan(await nextRequest(market, tarballs, chance))
      known.lasted.plan = performance.now() - plannedAt
      known.under = 'between'
      if (plan.refusals.length > 0) continue
      const appliedAt = enter('apply')
      known.acknowledged = (await market.apply(plan)).number
      known.lasted.apply = performance.now() - appliedAt
      known.under = 'between'
      known.changes++
    }
  } catch (error) {
    // What the site refuses while it lives is a broken promise; that it is gone is not.
    if ((error as { status?: number }).status !== undefined) throw error
  }
  return (await killed) ?? 'between'
}

async function killAfter(
  site: SiteProcess,
  ms: number,
  known: Knowledge,
): Promise<Knowledge['under']> {
  await new Promise((resolve) => setTimeout(resolve, ms))
  const { under } = known
  await site.kill()
  return under
}

async function nextRequest(market: Market, tarballs: readonly string[], chance: Chance) {
  const generations = await market.generations()
  if (chance() < 0.3 && generations.length > 1) {
    return { action: 'rollback', generation: pick(generations.slice(1, 5), chance).number }
  }
  if (chance() < 0.2) {
    const limits = { callsInFlight: 8 + Math.floor(chance() * 8) }
    return { action: 'configure', instance: 'vendor', settings: { limits } }
  }
  return { action: 'install', source: pick(tarballs, chance) }
}

async function problemsOf(market: Market, known: Knowledge, order: string): Promise<string[]> {
  const [present] = await market.generations()
  const problems: string[] = []
  if (!present || present.number < known.acknowledged)
    problems.push(
      `generation ${known.acknowledged} was acknowledged, and ${present?.number} is present`,
    )
  const installed = versionIn(present)
  const { state, version, reason } = await market.plugin('vendor')
  if (state !== 'ready') problems.push(`the plugin is ${state}: ${reason}`)
  if (version !== installed) problems.push(`${version} runs, and ${installed} is installed`)
  const answered = await market.answeredBy().catch((error: Error) => error.message)
  if (answered !== installed) problems.push(`${answered} answers, and ${installed} is installed`)
  await market.ready(order).catch((error: Error) => problems.push(error.message))
  const drift = await market.drift()
  problems.push(...drift.map(({ kind, message }) => `${kind}: ${message}`))
  return problems
}

function versionIn(generation: GenerationView | undefined): string | undefined {
  return generation?.plugins.find(({ name }) => name === vendorCloud)?.version
}
