import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { FogbowError } from '@fogbow/plugin-sdk'
import { typescriptArguments } from '../typescript-arguments.ts'
import type { SchemaProblem } from './schema-rules.ts'
import type { SchemaAnswer, SchemaTask } from './schema-thread.ts'

const START_TIMEOUT_MS = 30_000
const END_PATIENCE_MS = 500
const MAX_ANSWER_LENGTH = 2 * 1_048_576

/** A check that was ended at its limit of time or memory. */
export class SchemaTooCostly extends Error {}

export interface SchemaRunner {
  readonly ready: Promise<void>
  /** @throws SchemaTooCostly */
  ask(task: SchemaTask, timeoutMs: number): Promise<SchemaAnswer>
  end(): Promise<void>
}

/** Starts the thread, which may read the code it runs and nothing else of this machine. */
export function startSchemaThread(heapMiB: number): SchemaRunner {
  const worker = new Worker(new URL('./schema-thread.ts', import.meta.url), {
    env: {},
    execArgv: [
      '--permission',
      ...readableByThread().map((path) => `--allow-fs-read=${path}`),
      ...typescriptArguments(),
    ],
    resourceLimits: { maxOldGenerationSizeMb: heapMiB },
    stdout: true,
    stderr: true,
  })
  worker.on('error', () => {})
  const next = (limitMs: number) => nextMessage(worker, limitMs, heapMiB)
  const ready = next(START_TIMEOUT_MS).then(() => worker.unref())
  ready.catch(() => {})
  return {
    ready,
    async ask(task, timeoutMs) {
      worker.ref()
      const answer = next(timeoutMs)
      worker.postMessage(task)
      try {
        return readAnswer(await answer)
      } finally {
        worker.unref()
      }
    },
    async end() {
      await Promise.race([worker.terminate(), patience()])
    },
  }
}

/** What cannot be interrupted must not hold up the checks that follow. */
function patience(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, END_PATIENCE_MS).unref()
  })
}

function nextMessage(worker: Worker, limitMs: number, heapMiB: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const listening = new AbortController()
    const settle = (how: () => void) => {
      clearTimeout(timer)
      listening.abort()
      how()
    }
    const timer = setTimeout(
      () => settle(() => reject(new SchemaTooCostly(`takes more than ${limitMs} ms to check`))),
      limitMs,
    )
    const on = (event: string, listener: (value: unknown) => void) => {
      worker.once(event, listener)
      listening.signal.addEventListener('abort', () => worker.off(event, listener))
    }
    on('message', (message) => settle(() => resolve(message)))
    on('error', (error) => settle(() => reject(toFailure(error, heapMiB))))
    on('exit', () => settle(() => reject(new FogbowError('internal_error', 'Checks were ended'))))
  })
}

function toFailure(error: unknown, heapMiB: number): Error {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new SchemaTooCostly(`takes more than ${heapMiB} MiB of memory to check`)
  return new FogbowError('internal_error', `The thread for schemas of vendors ended: ${message}`, {
    cause: error,
  })
}

function readAnswer(message: unknown): SchemaAnswer {
  if (typeof message === 'string' && message.length <= MAX_ANSWER_LENGTH) {
    const answer: unknown = JSON.parse(message)
    if (isAnswer(answer)) return answer
  }
  throw new FogbowError('internal_error', 'The thread for schemas of vendors answered nonsense')
}

function isAnswer(value: unknown): value is SchemaAnswer {
  if (typeof value !== 'object' || value === null) return false
  if ('ok' in value) return value.ok === true
  const problem = 'schemaProblem' in value ? value.schemaProblem : undefined
  return isProblem(problem) || ('settingsProblem' in value && isProblem(value.settingsProblem))
}

function isProblem(value: unknown): value is SchemaProblem {
  const { key, message } = (value ?? {}) as Partial<SchemaProblem>
  return typeof key === 'string' && typeof message === 'string'
}

function readableByThread(): string[] {
  const sdkEntry = fileURLToPath(import.meta.resolve('@fogbow/plugin-sdk'))
  const validator = createRequire(sdkEntry).resolve('ajv')
  const modules = validator.slice(0, validator.indexOf(`${sep}node_modules${sep}`))
  const folders = [import.meta.dirname, dirname(sdkEntry), join(modules, 'node_modules')]
  return folders.map((folder) => join(folder, '*'))
}
