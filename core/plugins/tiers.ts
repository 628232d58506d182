import type { IsolationLevel, Launcher } from '@fogbow/sandbox'

/** The strongest isolation of this machine, and in words for its administrator what a stronger one would need. */
export interface MachineIsolation {
  level: IsolationLevel
  missing: readonly string[]
}

/** The ways to isolate plugins at this site, one launcher each. */
export interface Tiers {
  readonly worker: Launcher
  /** Its level is known once `machine` has answered. Absent where processes cannot be isolated. */
  readonly process: Launcher | undefined
  /** Looks once, and only when somebody asks: it starts processes to see what they can do. */
  machine(): Promise<MachineIsolation>
  /** Threads that could not be stopped, and how many of them leave the site no core to work on. */
  readonly zombies: number
  readonly zombieLimit: number
  /** From now on keeps guests ready of the tiers in use. */
  keepSpares(): void
  close(): Promise<void>
}

/** What was found out about processes; `refusal` when none is isolated well enough to be used. */
export interface FoundIsolation extends MachineIsolation {
  refusal?: string
}

export interface TierParts<Found extends FoundIsolation = FoundIsolation> {
  worker: Launcher & { readonly zombies: number }
  createProcess(isolation: Found): Launcher
  detect(): Promise<Found>
  /** Adds ready guests to a launcher. */
  withSpares(launcher: Launcher): Launcher
  platform: NodeJS.Platform
  cores: number
}

export function createTiers<Found extends FoundIsolation>(parts: TierParts<Found>): Tiers {
  const detect = once(parts.detect)
  const worker = createSparing(parts.worker, parts.withSpares)
  const process =
    parts.platform === 'linux'
      ? createSparing(whenFound(detect, parts.createProcess), parts.withSpares)
      : undefined
  return {
    worker,
    process,
    machine: async () => (process ? usable(await detect()) : noProcesses(parts.platform)),
    get zombies() {
      return parts.worker.zombies
    },
    zombieLimit: Math.max(parts.cores - 1, 1),
    keepSpares() {
      worker.keepSpares()
      process?.keepSpares()
    },
    async close() {
      await Promise.all([worker.close(), process?.close()])
    },
  }
}

function once<Result>(ask: () => Promise<Result>): () => Promise<Result> {
  let answer: Promise<Result> | undefined
  return () => {
    answer ??= ask()
    return answer
  }
}

function usable({ level, missing, refusal }: FoundIsolation): MachineIsolation {
  return refusal ? { level: 'worker', missing: [refusal, ...missing] } : { level, missing }
}

function noProcesses(platform: string): MachineIsolation {
  const missing = [`processes are isolated on Linux only, and this is ${platform}`]
  return { level: 'worker', missing }
}

/** A site whose plugins all have threads never makes it. */
function whenFound<Found>(
  detect: () => Promise<Found>,
  create: (isolation: Found) => Launcher,
): Launcher {
  let launcher: Launcher | undefined
  return {
    get level() {
      return launcher?.level ?? 'process'
    },
    async launch(limits) {
      const isolation = await detect()
      launcher ??= create(isolation)
      return launcher.launch(limits)
    },
    async close() {
      await launcher?.close?.()
    },
  }
}

interface Sparing extends Launcher {
  keepSpares(): void
  close(): Promise<void>
}

/** Spares are made once the site is ready, so that they do not delay it, and only of what was used. */
function createSparing(launcher: Launcher, withSpares: (launcher: Launcher) => Launcher): Sparing {
  let isUsed = false
  let keeps = false
  let spare: Launcher | undefined
  function addSpares(): void {
    if (isUsed && keeps) spare ??= withSpares(launcher)
  }
  return {
    get level() {
      return launcher.level
    },
    launch(limits) {
      isUsed = true
      addSpares()
      return (spare ?? launcher).launch(limits)
    },
    keepSpares() {
      keeps = true
      addSpares()
    },
    async close() {
      keeps = false
      await spare?.close?.()
      await launcher.close?.()
    },
  }
}
