import { invalid } from '@fogbow/plugin-sdk'
import type { ByteSink } from '../sandbox.ts'
import type { SandboxClock } from './clock.ts'
import type { Deadline, Deadlines } from './deadlines.ts'
import type { Pipe } from './stream-pipe.ts'

/** Most bytes of one chunk on their way; longer ones of a source are split. */
export const longestChunk = 65_536

/** What the plugin reads. */
export class Source {
  onEnd: () => void = nothing
  /** ms since the epoch; infinite while it is being read */
  idleSince: number
  readonly #iterator: AsyncIterator<Uint8Array>
  readonly #clock: SandboxClock
  #rest: Uint8Array = new Uint8Array(0)
  #finish: () => void = nothing

  constructor(iterator: AsyncIterator<Uint8Array>, clock: SandboxClock) {
    this.#iterator = iterator
    this.#clock = clock
    this.idleSince = clock.now()
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.idleSince === Number.POSITIVE_INFINITY)
      throw invalid('stream', 'is being read already')
    this.idleSince = Number.POSITIVE_INFINITY
    while (this.#rest.byteLength === 0) {
      const step = await this.#step()
      if (step.done) return undefined
      this.#rest = step.value
    }
    this.idleSince = this.#clock.now()
    const chunk = this.#rest.subarray(0, longestChunk)
    this.#rest = this.#rest.subarray(chunk.byteLength)
    return chunk
  }

  /** The end, too, when the stream is given up meanwhile: a source may not look up from its work. */
  #step(): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      this.#finish = () => resolve({ done: true, value: undefined })
      const failed = (error: unknown) => {
        this.onEnd()
        reject(error)
      }
      this.#iterator.next().then((step) => {
        if (step.done) this.onEnd()
        resolve(step)
      }, failed)
    })
  }

  end(): void {
    this.#finish()
    void returnIterator(this.#iterator)
  }

  release(): void {
    this.onEnd()
    this.#finish()
  }
}

async function returnIterator(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.()
  } catch {
    // It is of no use any more, and whoever made it knows.
  }
}

/** What the plugin writes to. */
export class Target {
  onEnd: () => void = nothing
  readonly #sink: ByteSink
  #upload: Pipe | undefined
  #expiry: (() => void) | undefined
  #writing = false

  /** @param upload - the other end of `sink`, when nobody has taken it yet */
  constructor(sink: ByteSink, upload?: Pipe) {
    this.#sink = sink
    this.#upload = upload
  }

  expire(deadlines: Deadlines, deadline: Deadline): void {
    this.#expiry = () => deadlines.remove(deadline)
  }

  take(): AsyncIterable<Uint8Array> {
    const upload = this.#upload
    if (!upload) throw invalid('stream', 'is not there to be taken')
    this.#upload = undefined
    this.#expiry?.()
    return upload
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#alone(() => this.#sink.write(chunk))
  }

  async close(): Promise<void> {
    await this.#alone(() => this.#sink.close())
    this.#expiry?.()
    this.onEnd()
  }

  async #alone(run: () => Promise<void>): Promise<void> {
    if (this.#writing) throw invalid('stream', 'is being written already')
    this.#writing = true
    try {
      await run()
    } catch (error) {
      this.onEnd()
      throw error
    }
    this.#writing = false
  }

  end(reason: Error): void {
    this.#expiry?.()
    this.#sink.abort(reason)
  }

  release(): void {
    this.onEnd()
  }
}

function nothing(): void {}
