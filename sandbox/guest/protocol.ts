/** Grows with every incompatible change of what host and guest say to each other. */
export const guestProtocol = 1

/** First call of the host: puts a plugin into the guest. */
export interface LoadRequest {
  protocol: number
  name: string
  code: string
  config: Record<string, unknown>
  /** Time of the site, ms since the epoch, when this was sent. */
  now: number
  limits: GuestLimits
}

/** What the guest holds its own side to; the host checks what it receives all the same. */
export interface GuestLimits {
  callsInFlight: number
  messageLength: number
}

/** Events that the guest sends. */
export const guestEvent = {
  /** `[level, message, fields?]` */
  log: 'log',
  /** true when timers of the plugin begin to be pending, false when none is any more */
  timers: 'timers',
} as const

/** Method name of the first call; no plugin method can be called so, they all contain a dot. */
export const loadMethod = 'load'
