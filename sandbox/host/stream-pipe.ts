import { FogbowError } from '@fogbow/plugin-sdk'
import type { ByteSink } from '../sandbox.ts'

interface Waiting<Value> {
  resolve(value: Value): void
  reject(error: Error): void
}

/** Hands chunks over one at a time: a write lasts until its chunk was taken. */
export class Pipe implements ByteSink, AsyncIterableIterator<Uint8Array> {
  onLeft: () => void = nothing
  #offered: (Waiting<void> & { chunk: Uint8Array }) | undefined
  #asked: Waiting<IteratorResult<Uint8Array>> | undefined
  #ended: { error: Error | undefined } | undefined

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#ended) throw this.#ended.error ?? noLongerRead()
    const asked = this.#asked
    this.#asked = undefined
    if (asked) asked.resolve({ done: false, value: chunk })
    else {
      await new Promise<void>((resolve, reject) => {
        this.#offered = { chunk, resolve, reject }
      })
    }
  }

  async close(): Promise<void> {
    this.#finish(undefined)
  }

  abort(reason: Error): void {
    this.#finish(reason)
  }

  #finish(error: Error | undefined): void {
    this.#ended ??= { error }
    this.#offered?.reject(error ?? noLongerRead())
    this.#offered = undefined
    if (error) this.#asked?.reject(error)
    else this.#asked?.resolve({ done: true, value: undefined })
    this.#asked = undefined
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const offered = this.#offered
    this.#offered = undefined
    offered?.resolve()
    if (offered) return { done: false, value: offered.chunk }
    if (this.#ended?.error) throw this.#ended.error
    if (this.#ended) return { done: true, value: undefined }
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject }
    })
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#finish(undefined)
    this.onLeft()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

export function noLongerRead(): FogbowError {
  return new FogbowError('unavailable_provider', 'The other side reads no more')
}

function nothing(): void {}
