/** Events and their targets (WHATWG DOM, section 2), without trees, capturing and default actions. */
export type Listener = ((event: Event) => void) | { handleEvent(event: Event): void }

interface Registration {
  type: string
  listener: Listener
  once: boolean
}

interface ListenerOptions {
  once?: boolean
  signal?: EventTarget & { aborted: boolean }
}

/** Numbers that some names had before names were used (WebIDL, section 2.8.1). */
const codes: Record<string, number> = {
  SyntaxError: 12,
  InvalidStateError: 11,
  NotSupportedError: 9,
  InvalidCharacterError: 5,
  InvalidAccessError: 15,
  NetworkError: 19,
  AbortError: 20,
  QuotaExceededError: 22,
  TimeoutError: 23,
  DataCloneError: 25,
}

export class DOMException extends Error {
  readonly code: number

  constructor(message = '', options: string | { name?: string; cause?: unknown } = 'Error') {
    const { name = 'Error', ...rest } = typeof options === 'object' ? options : { name: options }
    super(message, rest)
    Object.defineProperty(this, 'name', { value: String(name), configurable: true })
    this.code = codes[String(name)] ?? 0
  }

  get [Symbol.toStringTag](): string {
    return 'DOMException'
  }
}

export class Event {
  readonly type: string
  readonly bubbles: boolean
  readonly cancelable: boolean
  #target: EventTarget | null = null
  #prevented = false
  #stopped = false

  constructor(type: string, options: { bubbles?: boolean; cancelable?: boolean } = {}) {
    this.type = String(type)
    this.bubbles = Boolean(options.bubbles)
    this.cancelable = Boolean(options.cancelable)
  }

  get target(): EventTarget | null {
    return this.#target
  }

  get currentTarget(): EventTarget | null {
    return this.#target
  }

  get defaultPrevented(): boolean {
    return this.#prevented
  }

  preventDefault(): void {
    this.#prevented = this.cancelable
  }

  stopPropagation(): void {}

  stopImmediatePropagation(): void {
    this.#stopped = true
  }

  get [Symbol.toStringTag](): string {
    return 'Event'
  }

  static dispatch(event: Event, target: EventTarget, listeners: Iterable<Listener>): boolean {
    event.#target = target
    for (const listener of listeners) {
      if (event.#stopped) break
      try {
        if (typeof listener === 'function') listener.call(target, event)
        else listener.handleEvent(event)
      } catch (error) {
        report(error)
      }
    }
    return !event.#prevented
  }
}

const { dispatch } = Event
Reflect.deleteProperty(Event, 'dispatch')

/** A listener that fails concerns neither the others nor the one who dispatches: it goes to the log as unhandled. */
function report(error: unknown): void {
  void Promise.reject(error)
}

export class CustomEvent extends Event {
  readonly detail: unknown

  constructor(type: string, options: { cancelable?: boolean; detail?: unknown } = {}) {
    super(type, options)
    this.detail = options.detail ?? null
  }
}

export class EventTarget {
  #registrations: Registration[] = []

  addEventListener(
    type: string,
    listener: Listener | null,
    options?: boolean | ListenerOptions,
  ): void {
    if (!listener || this.#has(type, listener)) return
    const { once, signal } = typeof options === 'object' && options !== null ? options : {}
    if (signal?.aborted) return
    this.#registrations.push({ type: String(type), listener, once: Boolean(once) })
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener))
  }

  removeEventListener(type: string, listener: Listener | null): void {
    this.#registrations = this.#registrations.filter(
      (one) => one.type !== type || one.listener !== listener,
    )
  }

  dispatchEvent(event: Event): boolean {
    const due = this.#registrations.filter((one) => one.type === event.type)
    for (const { type, listener, once } of due) if (once) this.removeEventListener(type, listener)
    const listeners = due.map((one) => one.listener)
    return dispatch(event, this, listeners)
  }

  #has(type: string, listener: Listener): boolean {
    return this.#registrations.some((one) => one.type === type && one.listener === listener)
  }

  get [Symbol.toStringTag](): string {
    return 'EventTarget'
  }
}
