import type { Bridge } from './bridge.ts'
import { DOMException, Event, EventTarget, type Listener } from './events.ts'

type AbortListener = ((event: Event) => void) | null

/**
 * Aborting of activities (WHATWG DOM, section 3). A signal that follows others listens to them only while somebody
 * listens to it, so that one that lives long does not collect all that ever followed it.
 */
export class AbortSignal extends EventTarget {
  #aborted = false
  #reason: unknown
  #onabort: AbortListener = null
  #sources: readonly AbortSignal[] = []
  readonly #listeners = new Set<Listener>()
  readonly #follow = () => void this.aborted

  get aborted(): boolean {
    const source = this.#aborted ? undefined : this.#sources.find((one) => one.aborted)
    if (source) abortSignal(this, source.reason)
    return this.#aborted
  }

  get reason(): unknown {
    return this.aborted ? this.#reason : undefined
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.#reason
  }

  get onabort(): AbortListener {
    return this.#onabort
  }

  set onabort(listener: AbortListener) {
    if (this.#onabort) this.removeEventListener('abort', this.#onabort)
    this.#onabort = typeof listener === 'function' ? listener : null
    if (this.#onabort) this.addEventListener('abort', this.#onabort)
  }

  override addEventListener(
    ...[type, listener, options]: Parameters<EventTarget['addEventListener']>
  ): void {
    super.addEventListener(type, listener, options)
    if (type !== 'abort' || !listener || this.aborted) return
    this.#listeners.add(listener)
    for (const source of this.#sources) source.addEventListener('abort', this.#follow)
  }

  override removeEventListener(type: string, listener: Listener | null): void {
    super.removeEventListener(type, listener)
    if (type !== 'abort' || !listener) return
    this.#listeners.delete(listener)
    if (this.#listeners.size === 0) this.#leave()
  }

  #leave(): void {
    for (const source of this.#sources) source.removeEventListener('abort', this.#follow)
  }

  override get [Symbol.toStringTag](): string {
    return 'AbortSignal'
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal()
    abortSignal(signal, reason)
    return signal
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const joined = new AbortSignal()
    joined.#sources = [...signals].map((one) => {
      if (one instanceof AbortSignal) return one
      throw new TypeError('AbortSignal.any takes signals')
    })
    return joined
  }

  static timeout(_ms: number): AbortSignal {
    throw new DOMException('No timers here', 'NotSupportedError')
  }

  /** For the controller and its kin; plugins see a class without it. */
  static trigger(signal: AbortSignal, reason: unknown): void {
    if (signal.#aborted) return
    signal.#aborted = true
    signal.#reason =
      reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason
    signal.#leave()
    signal.#sources = []
    signal.#listeners.clear()
    signal.dispatchEvent(new Event('abort'))
  }
}

const { trigger: abortSignal } = AbortSignal
Reflect.deleteProperty(AbortSignal, 'trigger')

/** Gives `timeout` its timer. */
export function completeAbortSignal(bridge: Bridge): void {
  Object.defineProperty(AbortSignal, 'timeout', {
    value: (ms: number) => {
      const signal = new AbortSignal()
      const reason = () =>
        new DOMException('The operation was aborted due to timeout', 'TimeoutError')
      bridge.setTimeout(() => abortSignal(signal, reason()), ms)
      return signal
    },
  })
}

export class AbortController {
  readonly signal: AbortSignal = new AbortSignal()

  abort(reason?: unknown): void {
    abortSignal(this.signal, reason)
  }

  get [Symbol.toStringTag](): string {
    return 'AbortController'
  }
}
