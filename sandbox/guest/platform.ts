import type { Transport } from '../rpc/transport.ts'

/**
 * What the thread or process offers to our code inside it, and all that differs between them. Nothing of this is ever
 * handed to plugin code as it is.
 */
export interface GuestPlatform {
  transport: Transport
  texts: PreludeTexts
  timers: NativeTimers
  crypto: NativeCrypto
  encoding: NativeEncoding
  url: NativeUrlParser
  /** Called for what nobody caught in the thread: a rejected promise, an error in a callback. */
  onUncaught(listener: (error: unknown) => void): void
}

/** Sources of our part of what plugins see, evaluated without authority. */
export interface PreludeTexts {
  prelude: string
  /** The classes of WHATWG Streams: evaluated when they are first touched. */
  streams: string
}

export interface NativeTimers {
  setTimeout(run: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
  setImmediate(run: () => void): unknown
  clearImmediate(timer: unknown): void
  /** ms since the start of the thread */
  elapsedMs(): number
}

/** What cannot be read is answered with undefined: errors of the platform are not for plugins. */
export interface NativeEncoding {
  encodeUtf8(text: string): Uint8Array
  /** A decoder for one text that may come in parts; undefined for an unknown label. */
  createDecoder(label: string, fatal: boolean, ignoreBom: boolean): NativeDecoder | undefined
  toBase64(bytes: Uint8Array): string
  fromBase64(text: string): Uint8Array | undefined
}

export interface NativeDecoder {
  /** Name of the encoding, lower case. */
  readonly encoding: string
  decode(bytes: Uint8Array, more: boolean): string | undefined
}

export interface NativeUrlParser {
  /** @returns undefined for what is no URL */
  parse(url: string, base: string | undefined): UrlParts | undefined
  /** `url` with one part of it set as the attribute of that name does (WHATWG URL, section 6.1). */
  change(url: string, part: keyof UrlParts, value: string): UrlParts | undefined
}

/** A parsed URL, by the names of its attributes. */
export interface UrlParts {
  readonly href: string
  readonly origin: string
  readonly protocol: string
  readonly username: string
  readonly password: string
  readonly host: string
  readonly hostname: string
  readonly port: string
  readonly pathname: string
  readonly search: string
  readonly hash: string
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
  /** Salt of an RSA-PSS signature, bytes. */
  saltLength?: number
  /** Form of an ECDSA signature: DER (RFC 3279, section 2.2.3) instead of r and s side by side. */
  der?: boolean
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
  /** A key in the text form of RFC 7468, not encrypted; its algorithm follows from the key. */
  importPem(pem: string, forPrivate: boolean): NativeKey
  exportKey(format: KeyFormat, key: NativeKey): unknown
  /** One key for HMAC, otherwise private and public key. */
  generateKey(algorithm: KeyAlgorithm): NativeKey[]
  sign(algorithm: KeyAlgorithm, key: NativeKey, data: Uint8Array): Uint8Array
  verify(algorithm: KeyAlgorithm, key: NativeKey, signature: Uint8Array, data: Uint8Array): boolean
}
