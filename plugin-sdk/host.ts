/** What the site gives to a plugin, and nothing else: a plugin has no file system, no environment and no sockets. */
export interface PluginHost<Config = Record<string, unknown>> {
  /** Configuration of this plugin, valid against the schema of its manifest; contains no secrets. */
  readonly config: Config
  readonly log: Log
  /** HTTP to the hosts that the manifest asks for and the site's administrator granted; follows no redirect to others. */
  readonly fetch: typeof fetch
  /** TCP and TLS to the hosts and ports that the manifest asks for and the site's administrator granted. */
  readonly connect: Connect
  readonly secrets: Secrets
  readonly storage: Storage
  readonly clock: Clock
  /** Aborts when the plugin is being stopped. */
  readonly signal: AbortSignal
}

/**
 * Opens a connection, in the form of the Sockets API of WinterTC: the socket is there at once, `opened` tells how it went.
 * `secureTransport`: `on` for TLS from the start, `starttls` when `startTls()` follows later.
 */
export type Connect = (address: SocketAddress, options?: SocketOptions) => Socket

export interface SocketAddress {
  hostname: string
  port: number
}

export interface SocketOptions {
  secureTransport?: 'off' | 'on' | 'starttls'
}

export interface Socket {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  /** @throws FogbowError (by rejection): unauthorized, unavailable_provider */
  readonly opened: Promise<{ remoteAddress: string }>
  /** Resolves when both directions are closed. */
  readonly closed: Promise<void>
  close(): Promise<void>
  /** The same connection with TLS on it; only after `secureTransport: 'starttls'`, and this socket is of no use then. */
  startTls(): Socket
}

/** One line of the site's log each, under the plugin's name; fields must be plain data and hold no secrets. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

export interface Secrets {
  /**
   * The present value of a secret that the manifest names and the configuration fills in.
   * @throws configuration_error when it is not configured
   */
  get(name: string): Promise<string>
}

/** Key/value store of this plugin instance: durable once a promise is resolved, and of no concern to other plugins. */
export interface Storage {
  get(key: string): Promise<unknown>
  /** @param value - anything that JSON can express, at most 1 MiB */
  set(key: string, value: unknown): Promise<void>
  delete(key: string): Promise<void>
  /** Entries whose key starts with `prefix`, ordered by key. */
  list(prefix: string, options?: { after?: string; limit?: number }): Promise<StorageEntry[]>
  /** All or none. */
  write(changes: readonly StorageChange[]): Promise<void>
}

export interface StorageEntry {
  key: string
  value: unknown
}

/** `value` absent deletes the key. */
export interface StorageChange {
  key: string
  value?: unknown
}

/** Time as the site sees it; tests inject their own. */
export interface Clock {
  /** ms since the epoch */
  now(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Last argument of every method call. */
export interface CallContext {
  /** Aborts when the caller gave up; what was started may be finished, its answer is no longer read. */
  readonly signal: AbortSignal
  /** ms since the epoch by which an answer must be there */
  readonly deadline: number
}
