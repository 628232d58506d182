import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { FogbowError } from '@fogbow/plugin-sdk'
import { inTurn } from './in-turn.ts'

const RETRY_MS = 50
const SQLITE_BUSY = 5

/** Runs one piece of work at a time, in the order asked for. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>

/**
 * One piece of work at a time on this folder, also among processes (a site and the command line). The lock is
 * SQLite's on an otherwise empty file: the system lifts it when its process dies, however it dies.
 * @param path - file to lock; made when absent
 * @param waitMs - longest time to wait for another process
 */
export function createExclusive(path: string, waitMs = 120_000): Exclusive {
  const next = inTurn()
  return (work) => next(() => withLock(path, waitMs, work))
}

async function withLock<T>(path: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    for (let waitedMs = 0; !tryLock(database); waitedMs += RETRY_MS) {
      if (waitedMs >= waitMs) throw stillLocked(path, waitMs)
      await sleep(RETRY_MS)
    }
    return await work()
  } finally {
    database.close()
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false
    throw error
  }
}

function stillLocked(path: string, waitMs: number): FogbowError {
  const message = `Another process has been installing plugins for ${waitMs} ms (it holds ${path}); try again later`
  return new FogbowError('timeout', message)
}
