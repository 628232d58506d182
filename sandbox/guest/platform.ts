import type { Transport } from '../rpc/transport.ts'

/**
 * What the thread or process offers to our code inside it, and all that differs between them. Nothing of this is ever
 * handed to plugin code as it is.
 */
export interface GuestPlatform {
  transport: Transport
  /** Source of the prelude: our part of what plugins see, evaluated without authority. */
  prelude: string
  timers: NativeTimers
  crypto: NativeCrypto
  encoding: NativeEncoding
  /** URL class of the platform, without its static methods that touch process-wide state. */
  URL: object
  URLSearchParams: object
  isProxy(value: unknown): boolean
  /** Called for what nobody caught in the thread: a rejected promise, an error in a callback. */
  onUncaught(listener: (error: unknown) => void): void
}

export interface NativeTimers {
  setTimeout(run: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
  setImmediate(run: () => void): unknown
  clearImmediate(timer: unknown): void
  /** ms since the start of the thread */
  elapsedMs(): number
}

export interface NativeEncoding {
  encodeUtf8(text: string): Uint8Array
  /** A decoder for one text that may come in parts. @throws RangeError for an unknown label */
  createDecoder(label: string, fatal: boolean, ignoreBom: boolean): NativeDecoder
  toBase64(bytes: Uint8Array): string
  /** @throws InvalidCharacterError-like Error for what is not base64 */
  fromBase64(text: string): Uint8Array
}

export interface NativeDecoder {
  /** Name of the encoding, lower case. */
  readonly encoding: string
  decode(bytes: Uint8Array, more: boolean): string
}

export type KeyFormat = 'raw' | 'jwk' | 'spki' | 'pkcs8'

/** Parameters of an algorithm as Web Cryptography names them, reduced to plain texts and numbers. */
export interface KeyAlgorithm {
  name: string
  hash?: string
  namedCurve?: string
  modulusLength?: number
  /** Length of an HMAC key, bits. */
  length?: number
}

/** A key inside the platform; opaque, never seen by plugin code. */
export interface NativeKey {
  readonly type: 'secret' | 'public' | 'private'
  /** The algorithm with what was learnt from the key itself. */
  readonly algorithm: KeyAlgorithm
}

/** All of it is synchronous and bounded, so that no plugin can fill the thread pool that the process shares. */
export interface NativeCrypto {
  randomBytes(length: number): Uint8Array
  randomUUID(): string
  digest(hash: string, data: Uint8Array): Uint8Array
  importKey(
    format: KeyFormat,
    data: unknown,
    algorithm: KeyAlgorithm,
    forPrivate: boolean,
  ): NativeKey
  exportKey(format: KeyFormat, key: NativeKey): unknown
  /** One key for HMAC, otherwise private and public key. */
  generateKey(algorithm: KeyAlgorithm): NativeKey[]
  sign(algorithm: KeyAlgorithm, key: NativeKey, data: Uint8Array): Uint8Array
  verify(algorithm: KeyAlgorithm, key: NativeKey, signature: Uint8Array, data: Uint8Array): boolean
}
