import type { Kysely } from 'kysely'
import type { Database } from './schema.ts'

/** Queries of one unit of work; awaits nothing but its own queries. */
export type UnitOfWork<Result> = (db: Kysely<Database>) => Promise<Result>

/** Persistence of one site. */
export interface Store {
  /** For reading only. */
  readonly db: Kysely<Database>
  /**
   * Runs a unit of work all or nothing; resolves once it is durable. Units that come together share one commit, each
   * with its own savepoint, so that one that fails takes no other with it.
   * @param survives - what it outlives once resolved: a cut of the power, for which the disk has to be awaited, or only the
   * death of the process
   */
  write<Result>(unit: UnitOfWork<Result>, survives?: 'power cut' | 'process'): Promise<Result>
  /** Writes a consistent copy to a new file while work goes on. */
  backUp(file: string): Promise<void>
  close(): Promise<void>
}
