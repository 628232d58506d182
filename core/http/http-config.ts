/** The `http` section of the site's configuration, defaults filled in. */
export interface HttpConfig {
  /** Take the client's address from the last entry of `X-Forwarded-For`. */
  trustProxy: boolean
  /** Where browsers reach the site, without a slash at the end; where it listens when absent. */
  publicUrl?: string
  /** Origins whose pages may call the API; `*` for any. Credentials (cookies) are never allowed. */
  corsOrigins: readonly string[]
  bodyLimitBytes: number
  /** Per user, and per address for requests without a token; 0 for no limit. */
  requestsPerMinute: number
  /** How long `close` lets running requests finish; 10 s when absent. */
  closeTimeoutMs?: number
}

export const defaultHttpConfig: HttpConfig = {
  trustProxy: false,
  corsOrigins: ['*'],
  bodyLimitBytes: 1024 * 1024,
  requestsPerMinute: 6000,
}
