import assert from 'node:assert/strict'
import type { LocalToken } from '../contracts/shapes.ts'
import { asFogbowError, type ErrorCode, type FogbowError, isErrorCode } from '../errors.ts'
import type { PluginCaller } from './caller.ts'
import type { ConformanceCase, ConformanceOptions } from './conformance.ts'
import type { Samples } from './samples.ts'

/** What all cases share: the plugin under test, which a restart replaces, and the samples. */
export interface Trial {
  readonly samples: Samples
  readonly localToken: LocalToken
  /** Why cases that restart, or that move the clock, cannot be run; undefined when they can. */
  readonly noRestart: string | undefined
  readonly noAdvance: string | undefined
  offers(method: string): boolean
  /** The answer is valid against the contract: the caller has checked it. */
  call<Answer = unknown>(method: string, ...args: unknown[]): Promise<Answer>
  restart(): Promise<void>
  advance(ms: number): Promise<void>
  /** Asks again and again, ever less often, until the answer is not undefined. */
  eventually<Answer>(
    what: string,
    ask: () => Promise<Answer | undefined>,
    longestMs?: number,
  ): Promise<Answer>
  /**
   * The error with which a call is refused: one of `codes`, or any by which the plugin says that it knows what it
   * refuses and why.
   */
  refused(what: string, call: Promise<unknown>, codes?: readonly ErrorCode[]): Promise<FogbowError>
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5_000
const DEFAULT_PATIENCE_MS = 300_000

/** A plugin that answers with one of these has not understood what it was asked. */
const notAnswers: readonly ErrorCode[] = ['internal_error', 'plugin_failure', 'timeout']

export function createTrial(caller: PluginCaller, options: ConformanceOptions): Trial {
  const { samples = {}, restart, advance, patienceMs = DEFAULT_PATIENCE_MS } = options
  let current = caller
  const wait = advance ?? ((ms: number) => new Promise<void>((done) => setTimeout(done, ms)))
  return {
    samples,
    localToken: samples.localToken ?? {},
    noRestart: restart ? undefined : 'the plugin cannot be restarted here',
    noAdvance: advance ? undefined : 'the clock is real',
    offers: (method) => current.offered.has(method),
    call: async <Answer>(method: string, ...args: unknown[]) =>
      (await current.call(method, args)) as Answer,
    async restart() {
      if (restart) current = await restart()
    },
    async advance(ms) {
      await advance?.(ms)
    },
    async eventually(what, ask, longestMs = patienceMs) {
      const limitMs = Math.min(longestMs, patienceMs)
      let waitedMs = 0
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
        const answer = await ask()
        if (answer !== undefined) return answer
        assert.ok(waitedMs < limitMs, `${what} did not happen within ${limitMs} ms`)
        await wait(pauseMs)
        waitedMs += pauseMs
      }
    },
    refused: async (what, call, codes) => checkRefusal(what, await outcomeOf(call), codes),
  }
}

/** Makes the cases of one kind. */
export function casesOf(kind: string) {
  return (name: string, run: () => Promise<void>, skip?: string): ConformanceCase =>
    skip === undefined ? { kind, name, run } : { kind, name, skip, run: async () => {} }
}

async function outcomeOf(
  call: Promise<unknown>,
): Promise<{ answer: unknown } | { error: unknown }> {
  try {
    return { answer: await call }
  } catch (error) {
    return { error }
  }
}

function checkRefusal(
  what: string,
  outcome: { answer: unknown } | { error: unknown },
  codes: readonly ErrorCode[] | undefined,
): FogbowError {
  if ('answer' in outcome)
    assert.fail(`${what} must be refused, but was answered: ${preview(outcome.answer)}`)
  const error = asFogbowError(outcome.error)
  const expected = codes
    ? codes.includes(error.code)
    : isErrorCode(error.code) && !notAnswers.includes(error.code)
  const wanted = codes?.join(' or ') ?? 'an error of the catalogue that says what is wrong'
  assert.ok(expected, `${what} must be refused with ${wanted}, not ${error.code}: ${error.message}`)
  assert.ok(error.message.trim(), `${what}: the error ${error.code} has no message`)
  return error
}

export function preview(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 200)
}
