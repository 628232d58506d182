import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { FogbowError } from '@fogbow/plugin-sdk'
import { Kysely, SqliteDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { migrations } from './migrations/index.ts'
import { toKyselyDatabase } from './node-sqlite.ts'
import type { Database } from './schema.ts'
import type { Store, UnitOfWork } from './store.ts'

/** Copied at a time. A copy during which the same connection writes may fail, so writing waits for it. */
const BACKUP_PAGES = 10_000

interface Waiting {
  unit: UnitOfWork<unknown>
  survives: 'power cut' | 'process'
  resolve(result: unknown): void
  reject(error: unknown): void
}

type Outcome = { waiting: Waiting; result?: unknown; error?: unknown }

/**
 * The store of a site that runs as one process. The file is held exclusively, so that two sites never share it.
 * @param file - `:memory:` for a store that is forgotten
 * @throws configuration_error when another process holds the file, or it is not a store
 */
export async function openSqliteStore(file: string): Promise<Store> {
  const database = openDatabase(file)
  const db = new Kysely<Database>({
    dialect: new SqliteDialect({ database: toKyselyDatabase(database) }),
  })
  await migrate(db, file)
  const commits = groupCommits(database, db)
  return {
    db,
    write: commits.write,
    async backUp(target) {
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
      keepPrivate(target)
      await commits.exclusively(() => backup(database, target, { rate: BACKUP_PAGES }))
    },
    async close() {
      await commits.idle()
      await db.destroy()
    },
  }
}

function openDatabase(file: string): DatabaseSync {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    if (file !== ':memory:') keepPrivate(file)
    const database = new DatabaseSync(file)
    // FULL: an acknowledged order survives a power cut, not only the death of the process.
    database.exec(
      'PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192; BEGIN IMMEDIATE; COMMIT',
    )
    return database
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    const hint = /locked|busy/.test(problem)
      ? 'another process uses it; stop that site first, or give this one its own FOGBOW_DATA_DIR'
      : problem
    throw new FogbowError('configuration_error', `Store ${file}: ${hint}`, { cause })
  }
}

/** The store holds the keys of plugins: only the site's own account reads it. Its journal takes over the mode. */
function keepPrivate(file: string): void {
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
}

async function migrate(db: Kysely<Database>, file: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error, results } = await migrator.migrateToLatest()
  if (error) {
    const failed = results?.find((result) => result.status === 'Error')
    throw new FogbowError(
      'configuration_error',
      `Store ${file}: migration ${failed?.migrationName ?? ''} failed: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    )
  }
}

/**
 * Commits of one turn of the event loop are grouped: a commit waits for the disk, and waiting once for many is what
 * lets a busy site create orders faster than the disk can sync.
 */
function groupCommits(database: DatabaseSync, db: Kysely<Database>) {
  let queue: Waiting[] = []
  let running: Promise<void> | undefined
  let awaitsDisk = true
  const savepoint = database.prepare('SAVEPOINT unit')
  const release = database.prepare('RELEASE unit')

  function write<Result>(
    unit: UnitOfWork<Result>,
    survives: Waiting['survives'] = 'power cut',
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      queue.push({ unit, survives, resolve: resolve as (result: unknown) => void, reject })
      running ??= new Promise((done) => setImmediate(() => done(commitAll())))
    })
  }

  async function commitAll(): Promise<void> {
    while (queue.length > 0) {
      const group = queue
      queue = []
      await commit(group)
      await new Promise((next) => setImmediate(next))
    }
    running = undefined
  }

  async function commit(group: readonly Waiting[]): Promise<void> {
    try {
      awaitDisk(group.some(({ survives }) => survives === 'power cut'))
      const outcomes = await db.transaction().execute(async (transaction) => {
        const done: Outcome[] = []
        for (const waiting of group) done.push(await runUnit(waiting, transaction))
        return done
      })
      for (const outcome of outcomes) settle(outcome)
    } catch (error) {
      for (const waiting of group) waiting.reject(error)
    }
  }

  function awaitDisk(wanted: boolean): void {
    if (wanted === awaitsDisk) return
    database.exec(`PRAGMA synchronous=${wanted ? 'FULL' : 'NORMAL'}`)
    awaitsDisk = wanted
  }

  async function runUnit(waiting: Waiting, transaction: Kysely<Database>): Promise<Outcome> {
    savepoint.run()
    try {
      const result = await waiting.unit(transaction)
      release.run()
      return { waiting, result }
    } catch (error) {
      database.exec('ROLLBACK TO unit; RELEASE unit')
      return { waiting, error }
    }
  }

  /** Runs between two commits; units of work that come meanwhile wait. */
  async function exclusively<Result>(run: () => Promise<Result>): Promise<Result> {
    while (running !== undefined) await running
    const work = run()
    running = work.then(commitAll, commitAll)
    return work
  }

  return { write, exclusively, idle: async () => running }
}

function settle(outcome: Outcome): void {
  if ('error' in outcome) outcome.waiting.reject(outcome.error)
  else outcome.waiting.resolve(outcome.result)
}
