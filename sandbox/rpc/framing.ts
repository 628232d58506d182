import { ProtocolError } from './frame.ts'

/**
 * Texts over a stream of bytes: each goes as the number of its bytes (4 bytes, big-endian), then itself in UTF-8.
 */
const HEADER = 4
/** Texts that surely fit are written to one buffer, used again as soon as it has left. */
const SHARED = 65_536
const MOST_BYTES_PER_CHARACTER = 3
const SHORT = Math.floor((SHARED - HEADER) / MOST_BYTES_PER_CHARACTER)

export interface FrameWriter {
  write(text: string): void
}

/** @param send - takes bytes; true when it does not need them any more */
export function createFrameWriter(send: (bytes: Uint8Array) => boolean): FrameWriter {
  let shared = Buffer.allocUnsafeSlow(SHARED)
  return {
    write(text) {
      const short = text.length <= SHORT
      const target = short ? shared : Buffer.allocUnsafe(HEADER + Buffer.byteLength(text))
      const length = target.write(text, HEADER)
      target.writeUInt32BE(length, 0)
      const left = send(target.subarray(0, HEADER + length))
      if (short && !left) shared = Buffer.allocUnsafeSlow(SHARED)
    },
  }
}

/** Cuts what arrives into texts. Holds no more than one frame and one chunk. */
export class FrameReader {
  readonly #longest: number
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  #parts: Buffer[] = []
  #held = 0
  #wanted = 0

  /** @param longest - bytes of a text */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** @param chunk - used until `next` has answered undefined, and not kept after that */
  push(chunk: Buffer): void {
    if (this.#held === 0) {
      this.#chunk = chunk
      this.#at = 0
    } else {
      this.#hold(chunk)
      if (this.#held >= this.#wanted) this.#join()
    }
  }

  /**
   * @returns the next text that is complete
   * @throws ProtocolError for one that is too long
   */
  next(): string | undefined {
    const available = this.#chunk.length - this.#at
    if (available < HEADER) return this.#keep(HEADER)
    const length = this.#chunk.readUInt32BE(this.#at)
    if (length > this.#longest) {
      throw new ProtocolError(
        `a frame of ${length} bytes is longer than the ${this.#longest} allowed`,
      )
    }
    if (available < HEADER + length) return this.#keep(HEADER + length)
    const start = this.#at + HEADER
    this.#at = start + length
    return this.#chunk.toString('utf8', start, this.#at)
  }

  /** Puts aside what is not complete. */
  #keep(wanted: number): undefined {
    if (this.#at < this.#chunk.length) {
      this.#wanted = wanted
      this.#hold(this.#chunk.subarray(this.#at))
    }
    this.#chunk = nothing
    this.#at = 0
  }

  /** Parts grow together as they come, so that a frame sent byte by byte does not make as many of them. */
  #hold(bytes: Buffer): void {
    let part = Buffer.from(bytes)
    this.#held += part.length
    for (
      let last = this.#parts.at(-1);
      last && last.length <= part.length;
      last = this.#parts.at(-1)
    ) {
      part = Buffer.concat([last, part])
      this.#parts.pop()
    }
    this.#parts.push(part)
  }

  #join(): void {
    this.#chunk = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts)
    this.#at = 0
    this.#parts = []
    this.#held = 0
  }
}

const nothing = Buffer.alloc(0)
