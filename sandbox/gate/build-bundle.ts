import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type ErrorRecord, FogbowError, fromErrorRecord } from '@fogbow/plugin-sdk'
import { typescriptArguments } from '../typescript-arguments.ts'
import type { BuiltBundle, BundleRequest } from './bundle-package.ts'

/** What the thread answers. */
export type GateAnswer = { bundle: BuiltBundle } | { error: ErrorRecord }

const BUILD_TIMEOUT_MS = 60_000
const HEAP_MIB = 2048

/**
 * The install gate: makes of an unpacked package the one script that its sandbox runs, or refuses it.
 * Nothing of the package is executed. Works in a thread of its own, so that a package which is slow to bundle or to
 * check neither delays the site nor takes it along; the bundler's process ends with the thread.
 * @throws configuration_error naming package, file, position and construct; timeout
 */
export async function buildBundle(
  request: BundleRequest,
  { timeoutMs = BUILD_TIMEOUT_MS }: { timeoutMs?: number } = {},
): Promise<BuiltBundle> {
  const thread = new Worker(new URL('./build-thread.ts', import.meta.url), {
    workerData: request,
    execArgv: typescriptArguments(),
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  })
  try {
    const [answer] = await once(thread, 'message', { signal: AbortSignal.timeout(timeoutMs) })
    return readAnswer(answer)
  } catch (error) {
    throw toRefusal(error, request, timeoutMs)
  } finally {
    await thread.terminate()
  }
}

function readAnswer(answer: GateAnswer): BuiltBundle {
  if ('error' in answer) throw fromErrorRecord(answer.error)
  return answer.bundle
}

function toRefusal(error: unknown, request: BundleRequest, timeoutMs: number): unknown {
  if (error instanceof FogbowError || !(error instanceof Error)) return error
  if (error.name === 'AbortError') {
    const message = `Bundling ${request.packageDir} was given up after ${timeoutMs} ms; ship it bundled and smaller`
    return new FogbowError('timeout', message, { cause: error })
  }
  const message = `Bundling ${request.packageDir} failed: ${error.message}`
  return new FogbowError('configuration_error', message, { cause: error })
}
