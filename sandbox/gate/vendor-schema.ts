import { FogbowError } from '@fogbow/plugin-sdk'
import { dataProblem, type SchemaProblem } from './schema-rules.ts'
import { type SchemaRunner, SchemaTooCostly, startSchemaThread } from './schema-runner.ts'
import type { SchemaAnswer, SchemaTask } from './schema-thread.ts'

export type { SchemaProblem } from './schema-rules.ts'

/** Settings completed with the defaults of their schema, or what keeps them from being so. */
export type Completion =
  | { settings: Record<string, unknown> }
  | { schemaProblem: SchemaProblem }
  | { settingsProblem: SchemaProblem }

/**
 * JSON Schemas of vendors, and what is checked against them: in a thread of its own, which may neither read nor reach
 * anything and is ended when it takes too long or too much, for a schema can hang its compiler and its validator.
 */
export interface VendorSchemas {
  /** Starts the thread ahead of the first check, for whoever knows that one is coming. */
  prepare(): void
  /** @returns what is wrong with the schema, undefined when nothing is */
  check(schema: object): Promise<SchemaProblem | undefined>
  complete(schema: object, settings: object): Promise<Completion>
  /** Ends the thread; checks under way fail. */
  close(): Promise<void>
}

export interface VendorSchemasOptions {
  /** For one check, the start of the thread not counted. */
  timeoutMs?: number
  heapMiB?: number
  /** How long the thread stays when nobody needs it. */
  idleMs?: number
}

/** The thread starts with the first check; checks that come together share it, one after the other. */
export function createVendorSchemas(options: VendorSchemasOptions = {}): VendorSchemas {
  const { timeoutMs = 2000, heapMiB = 128, idleMs = 2000 } = options
  let thread: SchemaRunner | undefined
  let last: Promise<unknown> = Promise.resolve()
  let idle: NodeJS.Timeout | undefined
  let waiting = 0

  function ask(task: SchemaTask): Promise<SchemaAnswer | TooCostly> {
    waiting += 1
    const answer = last
      .then(() => perform(task))
      .finally(() => {
        waiting -= 1
        endWhenIdle()
      })
    last = answer.catch(() => {})
    return answer
  }

  function begin(): SchemaRunner {
    clearTimeout(idle)
    thread ??= startSchemaThread(heapMiB)
    return thread
  }

  function endWhenIdle(): void {
    clearTimeout(idle)
    if (waiting === 0) idle = setTimeout(() => void end(), idleMs).unref()
  }

  async function perform(task: SchemaTask): Promise<SchemaAnswer | TooCostly> {
    const runner = begin()
    try {
      await runner.ready
      return await runner.ask(task, timeoutMs)
    } catch (error) {
      await end()
      if (!(error instanceof SchemaTooCostly)) throw error
      return { tooCostly: error.message }
    }
  }

  async function end(): Promise<void> {
    clearTimeout(idle)
    const ended = thread
    thread = undefined
    await ended?.end()
  }

  /** The key whose settings cost that much alone; undefined when none does, or finding it takes too long as well. */
  async function costlyKey(schema: string, settings: object): Promise<string | undefined> {
    const giveUpAt = performance.now() + timeoutMs
    for (const [key, value] of Object.entries(settings)) {
      if (performance.now() > giveUpAt) return undefined
      const answer = await ask({ schema, settings: JSON.stringify({ [key]: value }) })
      if ('tooCostly' in answer) return key
    }
    return undefined
  }

  return {
    prepare() {
      begin().ready.then(endWhenIdle, end)
    },
    async check(schema) {
      const text = toJson(schema)
      if (text === undefined) return nestedTooDeep
      const answer = await ask({ schema: text })
      if ('tooCostly' in answer) return { key: '', message: answer.tooCostly }
      return 'schemaProblem' in answer ? answer.schemaProblem : undefined
    },
    async complete(schema, settings) {
      const text = toJson(schema)
      const own = toJson(settings)
      if (text === undefined) return { schemaProblem: nestedTooDeep }
      if (own === undefined) return { settingsProblem: nestedTooDeep }
      const answer = await ask({ schema: text, settings: own })
      if ('ok' in answer) return { settings: toSettings(answer.settings) }
      if (!('tooCostly' in answer)) return answer
      const key = (await costlyKey(text, settings)) ?? ''
      return { settingsProblem: { key, message: answer.tooCostly } }
    },
    close: end,
  }
}

interface TooCostly {
  tooCostly: string
}

const nestedTooDeep = { key: '', message: 'is nested too deep, or goes round in a circle' }

function toJson(value: object): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

/** @throws internal_error: whoever changed the thread's answers, nothing of them may reach a prototype */
function toSettings(value: unknown): Record<string, unknown> {
  const problem = dataProblem(value, 'settings', 0)
  if (!problem && typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new FogbowError('internal_error', `Completed ${problem?.key ?? 'settings'} is not usable`)
}
