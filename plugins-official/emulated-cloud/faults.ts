import { type CallContext, FogbowError, type PluginHost } from '@fogbow/plugin-sdk'
import type { CloudConfig, FailureRates } from './config.ts'

/** The bad days of a cloud: calls take their time, fail before or after they did something, or never answer. */
export interface Faults {
  /** Carries out a call as well as the weather of its method allows. */
  around<Answer>(method: string, call: CallContext, run: () => Promise<Answer>): Promise<Answer>
  /** Whether the instance requested now is to fail. */
  spoilsInstance(method: string): boolean
}

const LONGEST_HANG_MS = 3_600_000

export function createFaults(config: CloudConfig, clock: PluginHost['clock']): Faults {
  const chance = createChance(config.seed ?? randomSeed())
  const ratesOf = (method: string): FailureRates | undefined =>
    config.failureRates[method] ??
    config.failureRates[method.slice(method.indexOf('.') + 1)] ??
    config.failureRates['*']

  async function hang(method: string, call: CallContext): Promise<never> {
    const leftMs = Math.max(call.deadline - clock.now(), 0)
    await clock.sleep(Math.min(leftMs, LONGEST_HANG_MS), call.signal).catch(() => undefined)
    throw new FogbowError('timeout', `the emulated cloud did not answer ${method}`)
  }

  return {
    async around(method, call, run) {
      if (config.delaysMs.call > 0) await clock.sleep(config.delaysMs.call, call.signal)
      const failure = pick(ratesOf(method), chance)
      if (failure === 'unavailableBefore') throw unavailable(method)
      if (failure === 'hangBefore') return hang(method, call)
      const answer = await run()
      if (failure === 'unavailableAfter') throw unavailable(method)
      if (failure === 'hangAfter') return hang(method, call)
      return answer
    },
    spoilsInstance(method) {
      const rate = ratesOf(method)?.failInstance ?? 0
      return rate > 0 && chance() < rate
    },
  }
}

const failures = ['unavailableBefore', 'unavailableAfter', 'hangBefore', 'hangAfter'] as const

/** At most one failure per call: their rates are laid end to end, and one number is drawn. */
function pick(rates: FailureRates | undefined, chance: () => number) {
  if (!rates) return undefined
  let drawn = chance()
  return failures.find((failure) => {
    drawn -= rates[failure] ?? 0
    return drawn < 0
  })
}

function unavailable(method: string): FogbowError {
  return new FogbowError(
    'unavailable_provider',
    `the emulated cloud broke off ${method}; try again`,
  )
}

/** Numbers from 0 to 1 (mulberry32, by Tommy Ettinger; public domain). */
function createChance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
}
