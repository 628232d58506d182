import type { Bridge } from './bridge.ts'
import { DOMException, Event, EventTarget } from './events.ts'

/** Aborting of activities (WHATWG DOM, section 3). */
export class AbortSignal extends EventTarget {
  onabort: ((event: Event) => void) | null = null
  #aborted = false
  #reason: unknown

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal()
    trigger(signal, reason)
    return signal
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const joined = new AbortSignal()
    for (const signal of signals) {
      if (signal.aborted) trigger(joined, signal.reason)
      else signal.addEventListener('abort', () => trigger(joined, signal.reason))
    }
    return joined
  }

  static timeout(_ms: number): AbortSignal {
    throw new DOMException('No timers here', 'NotSupportedError')
  }

  /** For the controller and its kin; plugins see a class without it. */
  static trigger(signal: AbortSignal, reason: unknown): void {
    if (signal.#aborted) return
    signal.#aborted = true
    signal.#reason = reason ?? new DOMException('This operation was aborted', 'AbortError')
    const event = new Event('abort')
    signal.onabort?.(event)
    signal.dispatchEvent(event)
  }
}

export const { trigger } = AbortSignal

/** Closes the door behind `trigger` and gives `timeout` its timer. */
export function completeAbortSignal(bridge: Bridge): void {
  Reflect.deleteProperty(AbortSignal, 'trigger')
  Object.defineProperty(AbortSignal, 'timeout', {
    value: (ms: number) => {
      const signal = new AbortSignal()
      const reason = () =>
        new DOMException('The operation was aborted due to timeout', 'TimeoutError')
      bridge.setTimeout(() => trigger(signal, reason()), ms)
      return signal
    },
  })
}

export class AbortController {
  readonly signal: AbortSignal = new AbortSignal()

  abort(reason?: unknown): void {
    trigger(this.signal, reason)
  }
}
