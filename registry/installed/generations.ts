import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Generation } from '../marketplace.ts'
import { replaceFile } from './durable-file.ts'
import { byName, formatGeneration, noGeneration, readGeneration, readKept } from './lock-file.ts'

/** What begins the `change` of a generation that only says that a folder was built anew. */
export const rebuild = 'rebuild'

/**
 * The lock file and the generations before it. The lock file is the present one; a generation that it does not lead to is
 * what a killed process left behind.
 */
export interface Generations {
  /** Number 0 before anything was installed. */
  current(): Promise<Generation>
  /** Newest first. One whose file is damaged has a `problem` and nothing else. @throws configuration_error for the lock file */
  list(): Promise<Generation[]>
  /** Present after this, also after a power failure; when it throws, the one before still is. */
  commit(next: Generation): Promise<void>
  /** Drops the oldest, those that a rebuild replaced, and those that were never committed. */
  keep(count: number): Promise<void>
}

export function createGenerations(directory: string): Generations {
  const lockFile = join(directory, 'plugins.lock.json')
  const folder = join(directory, 'generations')
  const fileOf = (number: number) => join(folder, `${number}.json`)
  const current = async () => (await readGeneration(lockFile)) ?? noGeneration

  async function numbers(): Promise<number[]> {
    const names = await readdir(folder).catch(() => [])
    const found = names.flatMap((name) => /^([1-9]\d*)\.json$/.exec(name)?.[1] ?? [])
    return found.map(Number).sort((a, b) => b - a)
  }

  async function readOlder(number: number): Promise<Generation | undefined> {
    const path = fileOf(number)
    const read = await readKept(path)
    if (typeof read === 'string') return damaged(number, read)
    if (!read || read.number === number) return read
    return damaged(number, `${path} says that it is generation ${read.number}`)
  }

  async function list(): Promise<Generation[]> {
    const present = await current()
    const older = (await numbers()).filter((number) => number < present.number)
    const read = await Promise.all(older.map(readOlder))
    return present.number === 0 ? [] : [present, ...read.filter((one) => one !== undefined)]
  }

  return {
    current,
    list,
    async commit(next) {
      const present = await current()
      await mkdir(folder, { recursive: true })
      // That of a lock file from before there were generations, or one that somebody deleted.
      const isKept = present.number === 0 || (await numbers()).includes(present.number)
      if (!isKept) await replaceFile(fileOf(present.number), formatGeneration(present))
      const text = formatGeneration({ ...next, plugins: next.plugins.toSorted(byName) })
      await replaceFile(fileOf(next.number), text)
      await replaceFile(lockFile, text)
    },
    async keep(count) {
      const [present, ...older] = await list()
      const kept = older.filter(({ change }) => !change.startsWith(`${rebuild} `))
      const numbered = new Set([present, ...kept.slice(0, count - 1)].map((one) => one?.number))
      const dropped = (await numbers()).filter((number) => !numbered.has(number))
      // The oldest first: whoever dies here leaves no gap.
      for (const number of dropped.reverse()) await rm(fileOf(number), { force: true })
    },
  }
}

function damaged(number: number, problem: string): Generation {
  return { ...noGeneration, number, by: { id: 'unknown' }, change: 'cannot be read', problem }
}
