import { setTimeout as pause } from 'node:timers/promises'
import {
  defaultLimits,
  detectIsolation,
  type HostMethod,
  type LaunchedGuest,
  type Launcher,
  processLauncher,
  type Sandbox,
  type SandboxSpec,
  startSandbox,
  supervise,
  workerLauncher,
} from '@fogbow/sandbox'
import { bodySpec, bundleSpec } from '../../support/hostile-plugin.ts'
import { watchLag } from './event-loop-lag.ts'
import { askBody, startNeighbour } from './neighbour.ts'
import { busyShare, watchMemory } from './process-use.ts'
import type { Counts, Order, Outcome, Report, Strike } from './strike.ts'

/** Stops sooner than a site would, so that the suite takes less time. */
const watch = { tickMs: 25, pingEveryMs: 100, unresponsiveAfterMs: 500, quietTickMs: 200 }
const LOAD_TIMEOUT_MS = 2000
/** Longest wait for the answers to a strike. */
const PATIENCE_MS = 15_000
const AT_ONCE = 5

function watchFor({ unresponsiveAfterMs = watch.unresponsiveAfterMs }: Strike): typeof watch {
  return { ...watch, unresponsiveAfterMs }
}

/** Runs a neighbour and the plugin that strikes, and notes what the host and the neighbour felt. */
export async function sufferFrom({ level, cacheDir, strike }: Order): Promise<Report> {
  const kills = { slowestMs: 0 }
  const launcher = timed(await openLauncher(level, cacheDir), kills)
  const neighbour = await startNeighbour(launcher)
  await rehearse(launcher)
  if (strike.rehearsed) await attackByAll(strike, noCounts(), launcher)
  const memory = watchMemory()
  const lag = watchLag()

  const counts = noCounts()
  const during = neighbour.callAllTheTime()
  const outcome = strike.supervised
    ? await attackSupervised(strike, specOf(strike, counts), launcher, cacheDir)
    : await attackByAll(strike, counts, launcher)
  await pause(100)
  const answers = { during: during.stop(), after: await neighbour.call(5) }
  const felt = lag.end()
  return {
    ...outcome,
    ...counts,
    lag: felt,
    killMs: Math.round(kills.slowestMs),
    neighbour: answers,
    memory: await memory.end(),
    busyShare: await busyShare(),
  }
}

function noCounts(): Counts {
  return { logLines: 0, logCharacters: 0, hostCalls: 0 }
}

async function openLauncher(level: string, cacheDir: string): Promise<Launcher> {
  if (level === 'worker') return workerLauncher({ cacheDir })
  return processLauncher({ cacheDir, isolation: await detectIsolation() })
}

/** Notes how long guests take to be gone when they are told to. */
function timed(launcher: Launcher, kills: { slowestMs: number }): Launcher {
  const timedGuest = (guest: LaunchedGuest): LaunchedGuest => ({
    ...guest,
    async kill() {
      const startedAt = performance.now()
      const outcome = await guest.kill()
      if (outcome === 'dead') await guest.exited
      kills.slowestMs = Math.max(kills.slowestMs, performance.now() - startedAt)
      return outcome
    },
  })
  return {
    level: launcher.level,
    launch: async (limits) => timedGuest(await launcher.launch(limits)),
  }
}

/** What any first plugin costs for good is not to be counted against the one that strikes. */
async function rehearse(launcher: Launcher): Promise<void> {
  const sandbox = await startSandbox(bodySpec('return 1'), { launcher })
  await askBody(sandbox)
  await sandbox.stop()
}

function specOf(strike: Strike, counts: Counts): SandboxSpec {
  const memoryMiB = strike.memoryMiB ?? 128
  const changes: Partial<SandboxSpec> = {
    name: 'attacker',
    limits: { ...defaultLimits, memoryMiB, loadTimeoutMs: LOAD_TIMEOUT_MS },
    host: hostMethods(counts),
    onLog: ({ message }) => {
      counts.logLines++
      counts.logCharacters += message.length
    },
  }
  if (strike.bundle !== undefined) return bundleSpec(strike.bundle, changes)
  return bodySpec(strike.code, changes, strike.before)
}

/** One that answers at once how many calls there were, and one that never does. */
function hostMethods(counts: Counts): Record<string, HostMethod> {
  return {
    'storage.get': () => {
      counts.hostCalls++
      return [counts.hostCalls]
    },
    'storage.delete': () => {
      counts.hostCalls++
      return new Promise(() => {})
    },
  }
}

async function attack(strike: Strike, spec: SandboxSpec, launcher: Launcher): Promise<Outcome> {
  let sandbox: Sandbox
  try {
    sandbox = await startSandbox(spec, { launcher, watch: watchFor(strike) })
  } catch (error) {
    return { answers: [codeOf(error)], problems: [problemOf(error)] }
  }
  let said: unknown
  const problems = new Set<string>()
  const call = async () => {
    try {
      said = await askBody(sandbox, strike.callTimeoutMs)
      return 'ok'
    } catch (error) {
      problems.add(problemOf(error))
      return codeOf(error)
    }
  }
  const calls = Array.from({ length: strike.calls ?? 1 }, call)
  const late = pause(PATIENCE_MS, ['none'], { ref: false })
  const answers = await Promise.race([Promise.all(calls), late])
  await Promise.race([sandbox.ended, pause(strike.lingerMs ?? 300)])
  await sandbox.stop()
  const end = await sandbox.ended
  // What was condemned before it was told to stop says so, however long its kill takes.
  const endedByItself = end.cause !== 'stopped'
  return {
    answers: [...new Set(answers)],
    problems: [...problems],
    ...(said !== undefined && { said }),
    ...((endedByItself || end.zombie) && { end }),
  }
}

/** A few plugins at a time; what one of them could keep up counts for all. */
async function attackByAll(strike: Strike, counts: Counts, launcher: Launcher): Promise<Outcome> {
  const codes = [strike.code, ...(strike.others ?? [])]
  const outcomes: Outcome[] = []
  const next = async (): Promise<void> => {
    for (let code = codes.shift(); code !== undefined; code = codes.shift()) {
      outcomes.push(await attack(strike, specOf({ ...strike, code }, counts), launcher))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next))
  const answers = [...new Set(outcomes.flatMap((outcome) => outcome.answers))]
  const problems = [...new Set(outcomes.flatMap((outcome) => outcome.problems))]
  const [first] = outcomes
  const zombie = outcomes.find(({ end }) => end?.zombie)
  return { ...first, ...zombie, answers, problems }
}

/** Lets it strike once, and asks what goes on in its place. */
async function attackSupervised(
  strike: Strike,
  spec: SandboxSpec,
  launcher: Launcher,
  cacheDir: string,
): Promise<Outcome> {
  const afterZombie = await openLauncher('process', cacheDir)
  const plugin = await supervise(spec, { launcher, afterZombie, watch })
  const ready = new Promise<void>((resolve) => {
    plugin.onHealth(({ state }) => {
      if (state === 'ready') resolve()
    })
  })
  const struck = await askBody(plugin, strike.callTimeoutMs).then(() => 'ok', codeOf)
  await Promise.race([ready, pause(PATIENCE_MS, undefined, { ref: false })])
  const after = { health: plugin.health(), answer: await askBody(plugin).catch(codeOf) }
  await plugin.stop()
  return { answers: [struck], problems: [], after }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? error)
}

function problemOf(error: unknown): string {
  return String((error as Error | null)?.message ?? error).slice(0, 300)
}
