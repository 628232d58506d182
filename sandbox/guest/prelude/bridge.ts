import type { NativeDecoder } from '../platform.ts'

/** All that the prelude gets from the supervisor: functions over plain data. */
export interface Bridge {
  callHost(method: string, args: readonly unknown[]): HostCallHandle
  log(level: string, message: unknown, fields?: unknown): void
  /** ms since the epoch, as the site sees it */
  now(): number
  setTimeout(run: () => void, ms: number): number
  clearTimeout(token: number): void
  encodeUtf8(text: string): Uint8Array
  createDecoder(label: string, fatal: boolean, ignoreBom: boolean): NativeDecoder
  toBase64(bytes: Uint8Array): string
  fromBase64(text: string): Uint8Array
  /** URL as the platform parses it. @throws TypeError */
  parseUrl(url: string, base?: string): string
}

export interface HostCallHandle {
  answer: Promise<unknown>
  cancel(): void
}
