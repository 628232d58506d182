/** Events and their targets (WHATWG DOM, section 2), without trees, capturing and default actions. */
type Listener = ((event: Event) => void) | { handleEvent(event: Event): void }

interface Registration {
  type: string
  listener: Listener
  once: boolean
}

export class DOMException extends Error {
  readonly code: number

  constructor(message = '', name = 'Error') {
    super(message)
    Object.defineProperty(this, 'name', { value: name, configurable: true })
    this.code = name === 'AbortError' ? 20 : name === 'TimeoutError' ? 23 : 0
  }
}

export class Event {
  readonly type: string
  readonly cancelable: boolean
  #target: EventTarget | null = null
  #prevented = false
  #stopped = false

  constructor(type: string, options: { cancelable?: boolean } = {}) {
    this.type = String(type)
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

  static dispatch(event: Event, target: EventTarget, listeners: Iterable<Listener>): boolean {
    event.#target = target
    for (const listener of listeners) {
      if (event.#stopped) break
      if (typeof listener === 'function') listener.call(target, event)
      else listener.handleEvent(event)
    }
    return !event.#prevented
  }
}

export class EventTarget {
  #registrations: Registration[] = []

  addEventListener(
    type: string,
    listener: Listener | null,
    options?: boolean | { once?: boolean; signal?: EventTarget & { aborted: boolean } },
  ): void {
    if (
      !listener ||
      this.#registrations.some((one) => one.type === type && one.listener === listener)
    )
      return
    const { once = false, signal } = typeof options === 'object' && options !== null ? options : {}
    if (signal?.aborted) return
    this.#registrations.push({ type: String(type), listener, once })
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
    return Event.dispatch(
      event,
      this,
      due.map((one) => one.listener),
    )
  }
}
