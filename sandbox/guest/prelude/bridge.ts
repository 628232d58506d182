import type { NativeEncoding, NativeUrlParser } from '../platform.ts'

/** All that the prelude gets from the supervisor: functions over plain data. */
export interface Bridge extends NativeEncoding {
  callHost(method: string, args: readonly unknown[]): HostCallHandle
  log(level: string, message: unknown, fields?: unknown): void
  /** ms since the epoch, as the site sees it */
  now(): number
  setTimeout(run: () => void, ms: number): number
  clearTimeout(token: number): void
  randomUUID(): string
  parseUrl: NativeUrlParser['parse']
  changeUrl: NativeUrlParser['change']
}

export interface HostCallHandle {
  answer: Promise<unknown>
  /** @param onLate - is given the answer that was under way already, if there is one */
  cancel(onLate?: (answer: unknown) => void): void
}
