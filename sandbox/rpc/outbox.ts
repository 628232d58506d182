import type { Transport } from './transport.ts'

/** From this length on a message travels alone: the receiver then reads one while the sender writes the next. */
const LARGE = 4096
const MOST_MESSAGES = 64
const MOST_CHARACTERS = 40_960

export interface Outbox {
  /** @param message - JSON of one message */
  push(message: string): void
}

/**
 * Joins messages into frames. What is pushed within one turn leaves together, and what callers push who are woken by the
 * same frame: they all run before the microtask that the first of them has added. Order is kept.
 */
export function createOutbox(transport: Transport): Outbox {
  let batch = ''
  let count = 0
  let scheduled = false
  const settled = Promise.resolve()

  function flush(): void {
    if (count === 0) return
    const frame = `[${batch}]`
    batch = ''
    count = 0
    transport.send(frame)
  }

  function flushScheduled(): void {
    scheduled = false
    flush()
  }

  function schedule(): void {
    void settled.then(flushScheduled)
    // Only now: at the end of the stack the line above fails, and the next message has to try again.
    scheduled = true
  }

  return {
    push(message) {
      const large = message.length >= LARGE
      if (large || count === MOST_MESSAGES || batch.length + message.length > MOST_CHARACTERS)
        flush()
      batch = count === 0 ? message : `${batch},${message}`
      count++
      if (large) flush()
      else if (!scheduled) schedule()
    },
  }
}
