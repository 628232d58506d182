/** What we use of the package, which brings no types. The comments state what its version 0.13 does. */
declare module '@xmpp/component' {
  import type { EventEmitter } from 'node:events'
  import type { Socket } from 'node:net'

  export interface Entity extends EventEmitter {
    /** Absent before `connect` and after the socket closed. */
    readonly socket: Socket | null
    /** Absent before `open` and after the socket closed. */
    readonly parser: EventEmitter | null
    /** Tries again for ever, every second; runs from the start. */
    readonly reconnect: { stop(): void }
    /** ms for the header, and for the answer to the handshake */
    timeout: number
    /**
     * Made for every stream. `start` with the attributes of the header begins the handshake, `element` named
     * `handshake` ends it.
     */
    Parser: new () => EventEmitter
    /** Called with each chunk, as it came from the socket. */
    _onData: (chunk: Buffer) => void
    socketParameters: () => { host: string; port: number }
    /** Resolves once the socket is connected; the event `disconnect` follows every `connect` in the end. */
    connect(service: string): Promise<void>
    /** Sends the header of the stream; resolves with that of the server. */
    open(options: { domain: string }): Promise<unknown>
  }

  /** Puts together the stream, the handshake of XEP-0114 and handlers of stanzas; connects nothing yet. */
  export function component(options: { service: string; domain: string; password: string }): Entity
}
