import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import {
  defaultLimits,
  detectIsolation,
  type LaunchedGuest,
  type Launcher,
  processLauncher,
  type Sandbox,
  startSandbox,
  withSpares,
  workerLauncher,
} from '@fogbow/sandbox'
import { bundleSpec } from '../../support/hostile-plugin.ts'
import type { Finding, ScanMessage, ScanOrder } from './scan-order.ts'
import { createSkips, type Skips } from './skips.ts'

/**
 * A host that tries numbers of calls in one guest after the other: a process of its own, which may not survive. A file tells
 * how far it is.
 */
const watch = { tickMs: 25, pingEveryMs: 1000, unresponsiveAfterMs: 10_000, quietTickMs: 1000 }
/** Processor time that one call may take. */
const CALL_MS = 150
const LOOK_EVERY_MS = 20
/** A guest begins anew after so many calls, whatever they left behind. */
const CALLS_PER_GUEST = 20_000
/** Processor time after a kill. */
const LATE_MS = 500
const ZOMBIE_MS = 6000
const PATIENCE_MS = 25_000

const bundle = ['hostile-values.cjs', 'guest.cjs']
  .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
  .join('\n')

const tell = (message: ScanMessage) => process.send?.(message)

process.once('message', async (order: ScanOrder) => {
  const kills: Kill[] = []
  const launcher = noting(withSpares(await openLauncher(order), { count: 1, limits }), kills)
  if (!order.catalogue) return tellCatalogue(launcher)
  const skips = createSkips(order.catalogue)
  let next = order.from
  while (next < order.to) {
    const to = Math.min(order.to, next + CALLS_PER_GUEST * order.step)
    const { reached, finding } = await tryCalls(
      launcher,
      { ...order, from: next, to },
      skips,
      kills,
    )
    next = finding ? skips.after(finding.number, order.step) : reached
    if (finding) tell({ type: 'finding', finding })
    if (finding?.outcome === 'zombie') break
  }
  tell({ type: 'end', next, skipped: skips.count })
})

/** Far more than usual: it is not memory that is to end them. */
const limits = { ...defaultLimits, memoryMiB: 1024 }

async function openLauncher({ level, cacheDir }: ScanOrder): Promise<Launcher> {
  if (level === 'worker') return workerLauncher({ cacheDir })
  return processLauncher({ cacheDir, isolation: await detectIsolation() })
}

interface Kill {
  usedMs: number
  exited: Promise<string>
}

function usedMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Keeps of each guest when it was killed and when it is gone. */
function noting(launcher: Launcher, kills: Kill[]): Launcher {
  const noted = (guest: LaunchedGuest): LaunchedGuest => ({
    ...guest,
    kill() {
      kills.push({ usedMs: usedMs(), exited: guest.exited })
      return guest.kill()
    },
  })
  return {
    level: launcher.level,
    launch: async (wanted) => noted(await launcher.launch(wanted)),
  }
}

const user = { id: 'u-1', identityProviderId: 'here', name: 'somebody', roles: [] }

function ask(sandbox: Sandbox): Promise<{ result?: string }> {
  return sandbox.call('federationToLocalMapper.getToken', [user], {
    timeoutMs: 3_600_000,
  }) as Promise<{ result?: string }>
}

async function tellCatalogue(launcher: Launcher): Promise<void> {
  const sandbox = await startSandbox(bundleSpec(bundle), { launcher })
  const [functions, forms, lists] = JSON.parse((await ask(sandbox)).result ?? '[]')
  tell({ type: 'catalogue', catalogue: { functions, forms, lists } })
  tell({ type: 'end', next: 0, skipped: 0 })
}

/** Until one of them does not come to an end, or all did. */
async function tryCalls(
  launcher: Launcher,
  { from, to, step, lingerMs, placeFile }: ScanOrder,
  skips: Skips,
  kills: Kill[],
): Promise<{ reached: number; finding?: Finding }> {
  let reached = from
  let reachedAtMs = Number.POSITIVE_INFINITY
  const place = openSync(placeFile, 'w')
  const spec = bundleSpec(bundle, {
    config: { from, to, step, lingerMs, without: skips.without },
    limits,
    host: {
      'storage.get': ([number]) => {
        reached = Number(number)
        reachedAtMs = usedMs()
        writeSync(place, String(reached).padStart(12), 0)
        return []
      },
    },
  })
  const sandbox = await startSandbox(spec, { launcher, watch })
  const through = ask(sandbox).then(
    () => true,
    () => false,
  )
  const lookAfter = setInterval(() => {
    if (usedMs() - reachedAtMs > CALL_MS) void sandbox.stop()
  }, LOOK_EVERY_MS)
  const lived = await Promise.race([through, sandbox.ended.then(() => false)])
  clearInterval(lookAfter)
  await sandbox.stop()
  closeSync(place)
  if (lived) return { reached: to }
  const { message } = await sandbox.ended
  const kill = kills.at(-1)
  return { reached, finding: { number: reached, why: message, ...(await endOf(kill)) } }
}

/** How long a guest that was killed goes on, by what it uses: the machine has other users. */
async function endOf(kill: Kill | undefined): Promise<Pick<Finding, 'outcome' | 'killMs'>> {
  let gone = kill === undefined
  void kill?.exited.then(() => {
    gone = true
  })
  const until = performance.now() + PATIENCE_MS
  const goesOn = () => Math.round(usedMs() - (kill?.usedMs ?? 0))
  await pause(0)
  while (!gone && goesOn() < ZOMBIE_MS && performance.now() < until) await pause(10)
  const killMs = goesOn()
  if (!gone) return { outcome: 'zombie', killMs }
  return { outcome: killMs > LATE_MS ? 'late' : 'killed', killMs }
}
