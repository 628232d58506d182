import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Log } from '@fogbow/plugin-sdk'
import type { Generation } from '../marketplace.ts'
import { createPlanStore, type PlanStore } from '../plan/plan-store.ts'
import { type BundleStore, createBundleStore } from './bundle-store.ts'
import { createExclusive } from './exclusive.ts'
import { createGenerations } from './generations.ts'

export interface PluginFolderOptions {
  /** Absolute; made when absent. */
  directory: string
  /** How many generations stay, the present one included. */
  keepGenerations?: number
  /** How long a plan waits to be accepted. */
  planDays?: number
  clock?: Pick<Clock, 'now'>
  log?: Pick<Log, 'warn'> | undefined
}

/** The folder that a site keeps its plugins in, shared by whoever changes them. */
export interface PluginFolder {
  store: BundleStore
  plans: PlanStore
  /** Number 0 before anything was installed. */
  current(): Promise<Generation>
  /** Newest first, damaged ones included. */
  generations(): Promise<Generation[]>
  /** Runs while nobody else, in this process or another one, changes the folder. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** The commit point; only inside of `alone`. When it throws, nothing has changed. */
  commit(change: Omit<Generation, 'number' | 'at'>): Promise<Generation>
  /** Removes what neither a kept generation nor a waiting plan names; only inside of `alone`. */
  sweep(): Promise<void>
}

export function createPluginFolder(options: PluginFolderOptions): PluginFolder {
  const { directory, keepGenerations = 20, planDays = 7, clock = Date, log } = options
  const staging = join(directory, 'staging')
  const store = createBundleStore(join(directory, 'store'), staging)
  const plans = createPlanStore(join(directory, 'plans'), planDays, clock)
  const generations = createGenerations(directory)
  const exclusive = createExclusive(join(directory, 'registry.lock'))

  /** @throws Error when nobody knows what a damaged generation named: it may come back from a copy */
  async function hashesInUse(): Promise<Set<string>> {
    const all = await generations.list()
    const damaged = all.find(({ problem }) => problem !== undefined)
    if (damaged) throw new Error(damaged.problem)
    const kept = all.flatMap(({ plugins }) => plugins)
    const planned = (await plans.list()).flatMap(({ changes }) => changes.map(({ to }) => to))
    return new Set([...kept, ...planned].map((plugin) => plugin?.hash ?? ''))
  }

  return {
    store,
    plans,
    current: generations.current,
    generations: generations.list,
    async alone(work) {
      await mkdir(directory, { recursive: true })
      return exclusive(async () => {
        // Whatever lies there was left by a process that died.
        await rm(staging, { recursive: true, force: true })
        await mkdir(staging)
        try {
          return await work()
        } finally {
          await rm(staging, { recursive: true, force: true })
        }
      })
    },
    async commit(change) {
      const { number } = await generations.current()
      const at = new Date(clock.now()).toISOString()
      const next = { ...change, number: number + 1, at }
      await generations.commit(next)
      return next
    },
    async sweep() {
      try {
        await generations.keep(keepGenerations)
        await plans.dropExpired()
        await store.keepOnly(await hashesInUse())
      } catch (error) {
        // What was asked for is done; the next sweep tries again.
        log?.warn('Plugins that nobody needs could not be removed', { problem: String(error) })
      }
    },
  }
}
