import 'ses'
import { FogbowError } from '@fogbow/plugin-sdk'
import { createPeer, type Peer, type PeerOptions } from '../rpc/peer.ts'
import { createPluginCompartment, evaluatePrelude } from './compartment.ts'
import { createGuestCrypto } from './crypto.ts'
import { createGuestLog, type LogLevel } from './log.ts'
import { withOwnErrors } from './own-errors.ts'
import type { GuestPlatform, UrlParts } from './platform.ts'
import type { Bridge } from './prelude/bridge.ts'
import { guestEvent, guestProtocol, type LoadRequest, loadMethod } from './protocol.ts'
import { createGuestTimers } from './timers.ts'

/** Freezes the language, so that nothing a plugin does changes it for us. Once per thread, before anything else. */
export function lockDown(): void {
  lockdown({
    overrideTaming: 'severe',
    errorTaming: 'safe',
    stackFiltering: 'verbose',
    consoleTaming: 'unsafe',
    localeTaming: 'unsafe',
    evalTaming: 'safe-eval',
    errorTrapping: 'none',
    unhandledRejectionTrapping: 'none',
    legacyRegeneratorRuntimeTaming: 'unsafe-ignore',
    domainTaming: 'safe',
    reporting: 'none',
  })
  harden(FogbowError)
}

/**
 * Waits for a plugin and serves its methods. The plugin sees a compartment with wrapped endowments; the transport, the
 * thread and this module are out of its reach.
 */
export function startGuest(platform: GuestPlatform): void {
  let offsetMs = 0
  let serve: PeerOptions['serve'] = load
  let messageLength = Number.MAX_SAFE_INTEGER
  const peer: Peer = createPeer({
    transport: platform.transport,
    serve: (method, args, call) => serve(method, args, call),
    credit: 0,
    waiting: 0,
    served: 1,
    get messageLength() {
      return messageLength
    },
    frameLength: 'trusted',
  })
  const log = createGuestLog((line) => peer.emit(guestEvent.log, line), platform.timers.elapsedMs)
  platform.onUncaught((error) => log.print('error', ['Nobody handled:', error]))
  const timers = createGuestTimers({
    native: platform.timers,
    onError: (error) => log.print('error', ['A timer failed:', error]),
    onPending: (pending) => peer.emit(guestEvent.timers, pending),
  })
  // All that does not depend on the plugin is there before it comes: a spare guest has done it already.
  const prelude = evaluatePrelude(platform.texts, createBridge(timers.globals))
  const { crypto, CryptoKey } = createGuestCrypto(withOwnErrors(platform.crypto))
  const evaluate = createPluginCompartment({
    platform,
    globals: { ...timers.globals, ...prelude.globals, crypto, CryptoKey },
    lateGlobals: prelude.lateGlobals,
    print: (level, values) => log.print(level, values),
    now: () => Date.now() + offsetMs,
  })

  async function load(method: string, args: readonly unknown[]): Promise<string[]> {
    if (method !== loadMethod) throw new FogbowError('internal_error', 'No plugin is loaded yet')
    const request = args[0] as LoadRequest
    if (request.protocol !== guestProtocol) {
      throw new FogbowError(
        'internal_error',
        `Host and guest differ: ${request.protocol}, ${guestProtocol}`,
      )
    }
    offsetMs = request.now - Date.now()
    messageLength = request.limits.messageLength
    peer.grant(request.limits.callsInFlight)
    serve = prelude.plugin.call
    return prelude.plugin.start(evaluate(request.code), harden(request.config))
  }

  function createBridge(timers: Record<string, unknown>): Bridge {
    const { setTimeout, clearTimeout } = timers as unknown as Pick<
      Bridge,
      'setTimeout' | 'clearTimeout'
    >
    const { encoding, url: parser } = platform
    return harden({
      callHost: (method: string, args: readonly unknown[]) => {
        const call = peer.call(method, args)
        return {
          answer: call.answer,
          cancel: (onLate?: (answer: unknown) => void) =>
            call.abandon(new FogbowError('timeout', `${method} was given up`), onLate),
        }
      },
      log: (level: string, message: unknown, fields?: unknown) =>
        log.write(level as LogLevel, message, fields),
      now: () => Date.now() + offsetMs,
      setTimeout,
      clearTimeout,
      encodeUtf8: (text: string) => encoding.encodeUtf8(text),
      createDecoder: (label: string, fatal: boolean, ignoreBom: boolean) => {
        const decoder = encoding.createDecoder(label, fatal, ignoreBom)
        return decoder && harden(decoder)
      },
      toBase64: (bytes: Uint8Array) => encoding.toBase64(bytes),
      fromBase64: (text: string) => encoding.fromBase64(text),
      randomUUID: () => platform.crypto.randomUUID(),
      parseUrl: (url: string, base: string | undefined) => parser.parse(url, base),
      changeUrl: (url: string, part: keyof UrlParts, value: string) =>
        parser.change(url, part, value),
    })
  }
}
