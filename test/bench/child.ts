import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A process of a benchmark that does what it is told, one thing after the other. */
export interface Child {
  readonly pid: number
  /** @returns what the handler of that name returned there */
  tell<Result>(name: string, argument?: object): Promise<Result>
  stop(): Promise<void>
}

type Answer = { result?: unknown; error?: string }

/**
 * Starts a file of this folder, which calls `obey`.
 * @param options - what it gets before anything else
 */
export async function startChild(file: string, options: object): Promise<Child> {
  const process = fork(join(import.meta.dirname, file), [JSON.stringify(options)], {
    serialization: 'advanced',
    execArgv: ['--max-semi-space-size=4'],
  })
  const gone = once(process, 'exit').then(() => {
    throw new Error(`${file} ended`)
  })
  gone.catch(() => {})

  async function answer<Result>(): Promise<Result> {
    const [{ result, error }] = (await Promise.race([once(process, 'message'), gone])) as [Answer]
    if (error !== undefined) throw new Error(`${file}: ${error}`)
    return result as Result
  }

  await answer()
  return {
    pid: process.pid ?? 0,
    tell(name, argument = {}) {
      process.send({ name, argument })
      return answer()
    },
    async stop() {
      if (process.connected) process.disconnect()
      await gone.catch(() => {})
    },
  }
}

export type Handlers = Record<string, (argument: never) => unknown>

/** The side of the child. @param prepare - makes what it obeys with, from what `startChild` was given */
export async function obey<Options>(
  prepare: (options: Options) => Promise<Handlers>,
): Promise<void> {
  const send = (answer: Answer) => process.send?.(answer)
  const attempt = async (run: () => unknown) => {
    try {
      send({ result: await run() })
    } catch (error) {
      send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  }
  let handlers: Handlers = {}
  await attempt(async () => {
    handlers = await prepare(JSON.parse(process.argv[2] ?? '{}') as Options)
  })
  process.on('message', ({ name, argument }: { name: string; argument: never }) =>
    attempt(() => handlers[name]?.(argument)),
  )
  process.on('disconnect', () => process.exit())
}
