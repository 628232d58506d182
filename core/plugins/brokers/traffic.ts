import type { Socket } from 'node:net'

/** Bytes on the wire. */
export interface Traffic {
  sent: number
  received: number
}

/** Tells, when it is called, what went over a socket since it was called last. */
export function createMeter(socket: Socket, onTraffic: (bytes: Traffic) => void): () => void {
  let told: Traffic = { sent: 0, received: 0 }
  return () => {
    const now = { sent: socket.bytesWritten ?? 0, received: socket.bytesRead ?? 0 }
    const more = { sent: now.sent - told.sent, received: now.received - told.received }
    told = now
    if (more.sent > 0 || more.received > 0) onTraffic(more)
  }
}
