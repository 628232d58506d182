import { FogbowError } from '@fogbow/plugin-sdk'
import { loadMethod } from '../guest/protocol.ts'
import type { Caller, Peer } from '../rpc/peer.ts'
import type { Deadline, Deadlines } from './deadlines.ts'

/** What all calls into one guest share. */
export interface CallDesk {
  /** Name of the plugin. */
  readonly plugin: string
  readonly peer: Pick<Peer, 'ask' | 'abandon'>
  readonly deadlines: Deadlines
}

export interface OutgoingCallSettings {
  timeoutMs: number
  signal?: AbortSignal | undefined
  unlimited?: boolean
}

/**
 * One call into a guest until it is over: answered, refused, late or given up. It is the receiver of its own answer, of
 * its deadline and of its signal, since objects and promises made per call cost more than all its checks.
 */
export class OutgoingCall implements Caller, Deadline {
  at = 0
  readonly #desk: CallDesk
  readonly #method: string
  readonly #settings: OutgoingCallSettings
  readonly #caller: Caller
  #id = 0
  #over = false

  /** @param caller - told once what became of it */
  constructor(desk: CallDesk, method: string, settings: OutgoingCallSettings, caller: Caller) {
    this.#desk = desk
    this.#method = method
    this.#settings = settings
    this.#caller = caller
  }

  send(args: readonly unknown[]): void {
    const { timeoutMs, signal, unlimited } = this.#settings
    if (signal?.aborted) {
      this.#caller.reject(this.#givenUp(signal))
      return
    }
    this.#id = this.#desk.peer.ask(this, this.#method, args, timeoutMs, unlimited)
    if (this.#over) return
    this.#desk.deadlines.set(this, timeoutMs)
    signal?.addEventListener('abort', this)
  }

  resolve(answer: unknown): void {
    this.#leave()
    this.#caller.resolve(answer)
  }

  reject(error: FogbowError): void {
    this.#leave()
    this.#caller.reject(error)
  }

  #leave(): void {
    this.#over = true
    this.#desk.deadlines.remove(this)
    this.#settings.signal?.removeEventListener('abort', this)
  }

  /** The deadline is reached. */
  run(): void {
    const what = this.#method === loadMethod ? 'load' : `answer ${this.#method}`
    const late = `Plugin '${this.#desk.plugin}' did not ${what} within ${this.#settings.timeoutMs} ms`
    this.#desk.peer.abandon(this.#id, new FogbowError('timeout', late))
  }

  /** The signal has aborted. */
  handleEvent(): void {
    const { signal } = this.#settings
    if (signal) this.#desk.peer.abandon(this.#id, this.#givenUp(signal))
  }

  #givenUp({ reason }: AbortSignal): FogbowError {
    if (reason instanceof FogbowError) return reason
    const message = `${this.#method} of plugin '${this.#desk.plugin}' was given up by its caller`
    return new FogbowError('timeout', message, { cause: reason })
  }
}
