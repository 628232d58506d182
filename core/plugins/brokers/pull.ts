import type { Readable } from 'node:stream'
import { FogbowError } from '@fogbow/plugin-sdk'

export interface PullRules {
  /** Whose bytes they are, for messages. */
  what: string
  /** Absent: any number. */
  mostBytes?: number
  /** Longest wait for the next chunk, while somebody waits for it. */
  idleMs?: number
  /** Says by its reason why the stream broke off. */
  signal?: AbortSignal
  /** Called once, when nothing more will be taken, whatever the reason; ending the stream is up to its owner. */
  onEnd(): void
}

export interface Chunks extends AsyncIterableIterator<Uint8Array> {
  /** Takes nothing more from the stream, and leaves it as it is. */
  letGo(): void
}

/**
 * Chunks of a stream as they are asked for; nothing is read ahead beyond the stream's own buffer. Unlike a generator it
 * can be ended while a chunk is awaited.
 */
export function pull(source: Readable, rules: PullRules): Chunks {
  const left = new AbortController()
  let bytes = 0

  function end(): void {
    if (left.signal.aborted) return
    left.abort()
    rules.onEnd()
  }

  async function next(): Promise<IteratorResult<Uint8Array>> {
    try {
      const chunk = await nextChunk(source, rules, left.signal)
      if (chunk === null) {
        end()
        return { done: true, value: undefined }
      }
      bytes += chunk.length
      if (rules.mostBytes !== undefined && bytes > rules.mostBytes) throw tooLong(rules)
      return { done: false, value: chunk }
    } catch (error) {
      end()
      throw error
    }
  }

  source.on('error', () => {})
  return {
    next,
    async return() {
      end()
      return { done: true, value: undefined }
    },
    letGo: () => left.abort(),
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** @returns null at the end, or when it is left */
function nextChunk(
  source: Readable,
  rules: PullRules,
  left: AbortSignal,
): Promise<Uint8Array | null> {
  if (left.aborted) return Promise.resolve(null)
  const ready: Uint8Array | null = source.read()
  if (ready !== null) return Promise.resolve(ready)
  return new Promise((resolve, reject) => {
    const { idleMs } = rules
    const timer = idleMs && setTimeout(() => finish(() => reject(silent(rules))), idleMs)
    const leave = () => finish(() => resolve(null))
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      left.removeEventListener('abort', leave)
      for (const event of events) source.off(event, look)
      settle()
    }
    const look = () => {
      const chunk: Uint8Array | null = source.read()
      if (chunk !== null) finish(() => resolve(chunk))
      else if (source.errored) finish(() => reject(broken(rules, source.errored)))
      else if (source.readableEnded) finish(() => resolve(null))
      else if (source.destroyed) finish(() => reject(broken(rules, null)))
    }
    left.addEventListener('abort', leave)
    for (const event of events) source.on(event, look)
    look()
  })
}

const events = ['readable', 'end', 'error', 'close'] as const

function broken({ what, signal }: PullRules, cause: NodeJS.ErrnoException | null): unknown {
  if (signal?.aborted) return signal.reason
  if (cause instanceof FogbowError) return cause
  return new FogbowError(
    'unavailable_provider',
    `${what} broke off: ${cause?.code ?? 'it was cut'}`,
    {
      cause,
    },
  )
}

function silent({ what, idleMs }: PullRules): FogbowError {
  return new FogbowError('timeout', `${what} brought nothing for ${idleMs} ms`)
}

function tooLong({ what, mostBytes }: PullRules): FogbowError {
  return new FogbowError('payload_too_large', `${what} is longer than ${mostBytes} bytes`)
}
