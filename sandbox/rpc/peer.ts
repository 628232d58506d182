import { type ErrorRecord, FogbowError, fromErrorRecord, toErrorRecord } from '@fogbow/plugin-sdk'
import {
  isTangled,
  type Message,
  messageType,
  ProtocolError,
  parseFrame,
  parseTrustedFrame,
  problemOf,
} from './frame.ts'
import { createOutbox } from './outbox.ts'
import type { Transport } from './transport.ts'

export interface PeerOptions {
  transport: Transport
  /** Answers a call of the other side: a value, a promise of one, or an error thrown. */
  serve(method: string, args: readonly unknown[], call: ServedCall): unknown
  onEvent?(name: string, data: unknown): void
  /**
   * Called when calls to the other side begin to be under way, and when the last has ended. An answer that the other side
   * was waiting for makes it work as well, so it is told as a beginning and an end; its waiting is not.
   */
  onActivity?(active: boolean): void
  /** Called once, with what every pending call was rejected with. */
  onEnd?(error: FogbowError, protocol: boolean): void
  /** Calls that may be under way at the other side, until it says otherwise. */
  credit: number
  /** What the other side may raise it to; absent: to anything. */
  mostCredit?: number
  /** Calls that may wait for credit; more are refused with `too_many_requests`. */
  waiting: number
  /** Calls of the other side that may be under way here; more are refused with `too_many_requests`. */
  served: number
  /** Longest message to be sent, characters. */
  messageLength: number
  /** Longest frame to be read, characters; `trusted`: the other side is not to be checked, as a guest does with its host. */
  frameLength: number | 'trusted'
}

/** A call of the other side, while it is being answered. */
export interface ServedCall {
  /** ms left for the answer when the call arrived; 0: no deadline */
  readonly remainingMs: number
  /** Called when the caller gives up or the channel ends; at once if that has happened. */
  onCancel(listener: () => void): void
}

/** Who made a call. Told once what became of it. */
export interface Caller {
  resolve(answer: unknown): void
  reject(error: FogbowError): void
}

export interface PendingCall {
  readonly answer: Promise<unknown>
  /**
   * Rejects `answer` and tells the other side.
   * @param onLate - is given the answer that was under way already, if there is one; absent: it is dropped
   */
  abandon(error: FogbowError, onLate?: (answer: unknown) => void): void
}

/** One end of a channel on which both sides call each other. Holds no timer: deadlines are the caller's. */
export interface Peer {
  /**
   * @param remainingMs - left for the answer; 0: no deadline. The other side is told, only the caller enforces it
   * @param unlimited - true: of any length, past all limits; for the first call only
   */
  call(
    method: string,
    args: readonly unknown[],
    remainingMs?: number,
    unlimited?: boolean,
  ): PendingCall
  /**
   * As `call`, and tells the caller itself instead of making a promise: for who makes very many calls.
   * @returns a number to `abandon` it by
   */
  ask(
    caller: Caller,
    method: string,
    args: readonly unknown[],
    remainingMs?: number,
    unlimited?: boolean,
  ): number
  /** As `PendingCall.abandon`; does nothing when the call has ended. */
  abandon(id: number, error: FogbowError, onLate?: (answer: unknown) => void): void
  emit(name: string, data: unknown): void
  /** Changes how many calls the other side may have under way here. */
  grant(calls: number): void
  /** Rejects every pending call, cancels every served one and closes the transport. */
  end(error: FogbowError): void
  readonly counts: PeerCounts
}

export interface PeerCounts {
  /** Calls under way at the other side, abandoned ones included until it lets go of them. */
  readonly inFlight: number
  readonly waiting: number
  /** Calls of the other side that are being answered. */
  readonly served: number
  /** Answers to calls that nobody made. */
  readonly unknownReplies: number
}

export function createPeer(options: PeerOptions): Peer {
  const outbox = createOutbox(options.transport)
  const pending = new Map<number, Caller>()
  const waiting = new Map<number, string>()
  const serving = new Map<number, Serving>()
  let credit = options.credit
  let allowance = options.served
  let inFlight = 0
  let lastId = 0
  let unknownReplies = 0
  let active = false
  let ended: FogbowError | undefined

  function noteActivity(): void {
    const now = inFlight + waiting.size > 0
    if (now === active) return
    active = now
    options.onActivity?.(now)
  }

  function noteAnswer(): void {
    if (active) return
    options.onActivity?.(true)
    options.onActivity?.(false)
  }

  function call(
    method: string,
    args: readonly unknown[],
    remainingMs = 0,
    unlimited = false,
  ): PendingCall {
    const { promise: answer, resolve, reject } = Promise.withResolvers<unknown>()
    const id = ask({ resolve, reject }, method, args, remainingMs, unlimited)
    return { answer, abandon: (error, onLate) => abandon(id, error, onLate) }
  }

  function ask(
    caller: Caller,
    method: string,
    args: readonly unknown[],
    remainingMs = 0,
    unlimited = false,
  ): number {
    const id = ++lastId
    // In one go: texts put together afterwards are copied once more.
    const message = JSON.stringify([messageType.call, id, method, args, remainingMs])
    const refusal = ended ?? (unlimited ? undefined : refuse(method, message))
    if (refusal) {
      caller.reject(refusal)
      return id
    }
    pending.set(id, caller)
    if (inFlight < credit) send(message)
    else waiting.set(id, message)
    if (!active) noteActivity()
    return id
  }

  function refuse(method: string, message: string): FogbowError | undefined {
    if (message.length > options.messageLength) {
      return new FogbowError(
        'payload_too_large',
        `${method}: the arguments take ${message.length} characters, ${options.messageLength} are allowed`,
      )
    }
    if (isTangled(message, true)) {
      return new FogbowError(
        'invalid_parameter',
        `${method}: the arguments nest too deep or hold too many lists and objects`,
      )
    }
    if (inFlight < credit || waiting.size < options.waiting) return undefined
    return new FogbowError(
      'too_many_requests',
      `${method}: ${credit} calls are under way and ${waiting.size} wait; try again when some have ended`,
    )
  }

  function send(message: string): void {
    outbox.push(message)
    inFlight++
  }

  function abandon(
    id: number,
    error: FogbowError,
    onLate: (answer: unknown) => void = nothing,
  ): void {
    const call = pending.get(id)
    if (!call || ended) return
    call.reject(error)
    if (waiting.delete(id)) {
      pending.delete(id)
      noteActivity()
    } else {
      // Its place stays taken until the other side lets go, so that it is never asked for more than it grants.
      pending.set(id, { resolve: onLate, reject: nothing })
      outbox.push(`[3,${id}]`)
    }
  }

  function settle(id: number): Caller | undefined {
    const call = pending.get(id)
    if (!call || (waiting.size > 0 && waiting.has(id))) {
      unknownReplies++
      return undefined
    }
    pending.delete(id)
    inFlight--
    if (waiting.size > 0) sendWaiting()
    return call
  }

  function sendWaiting(): void {
    for (const [id, message] of waiting) {
      if (inFlight >= credit) return
      waiting.delete(id)
      send(message)
    }
  }

  function serve(id: number, method: string, args: unknown[], remainingMs: number): void {
    if (serving.has(id)) throw new ProtocolError(`call ${id} is under way already`)
    const call = new Serving(remainingMs)
    if (serving.size >= allowance) {
      fail(
        id,
        new FogbowError('too_many_requests', `${method}: ${allowance} calls are under way already`),
      )
      return
    }
    serving.set(id, call)
    try {
      const result = options.serve(method, args, call)
      if (isThenable(result)) {
        Promise.resolve(result).then(
          (value) => serving.delete(id) && reply(id, value),
          (error) => serving.delete(id) && fail(id, error),
        )
      } else if (serving.delete(id)) reply(id, result)
    } catch (error) {
      if (serving.delete(id)) fail(id, error)
    }
  }

  function reply(id: number, value: unknown): void {
    try {
      outbox.push(value === undefined ? `[1,${id}]` : toAnswer(id, value))
      noteAnswer()
    } catch (error) {
      fail(id, error)
    }
  }

  function toAnswer(id: number, value: unknown): string {
    const message = JSON.stringify([messageType.ok, id, value])
    if (message.length > options.messageLength) checkLength(message.length - `[1,${id},]`.length)
    if (isTangled(message, true))
      throw new FogbowError(
        'plugin_failure',
        'the answer nests too deep or holds too many lists and objects',
      )
    return message
  }

  function checkLength(length: number): void {
    if (length <= options.messageLength) return
    throw new FogbowError(
      'payload_too_large',
      `the answer takes ${length} characters, ${options.messageLength} are allowed`,
    )
  }

  function fail(id: number, error: unknown): void {
    outbox.push(`[2,${id},${toErrorText(error)}]`)
    noteAnswer()
  }

  function cancel(id: number): void {
    const call = serving.get(id)
    if (!call) return
    serving.delete(id)
    fail(id, new FogbowError('timeout', 'cancelled'))
    call.cancel()
  }

  function receive(message: Message): void {
    const type = message[0]
    if (type === messageType.ok) settle(toId(message))?.resolve(message[2])
    else if (type === messageType.call) receiveCall(message)
    else if (type === messageType.error) receiveError(message)
    else if (type === messageType.event) receiveEvent(message)
    else if (type === messageType.cancel) cancel(toId(message))
    else if (type === messageType.credit) receiveCredit(message)
    else throw malformed(message)
  }

  function receiveCall(message: Message): void {
    const id = toId(message)
    const method = message[2]
    const args = message[3]
    const remainingMs = message[4]
    if (typeof method !== 'string' || !Array.isArray(args)) throw malformed(message)
    serve(id, method, args, typeof remainingMs === 'number' ? remainingMs : 0)
  }

  function receiveError(message: Message): void {
    const error = readError(message[2])
    settle(toId(message))?.reject(error)
  }

  function receiveCredit(message: Message): void {
    credit = Math.min(toId(message), options.mostCredit ?? Number.POSITIVE_INFINITY)
    sendWaiting()
  }

  function receiveEvent(message: Message): void {
    if (typeof message[1] !== 'string') throw malformed(message)
    options.onEvent?.(message[1], message[2])
  }

  /** An unlucky value costs the call that it came with; an event is dropped. */
  function refuseMessage(message: Message, problem: string): void {
    if (message[0] === messageType.call) {
      fail(toId(message), new FogbowError('invalid_parameter', `the arguments ${problem}`))
    } else if (message[0] !== messageType.event) {
      settle(toId(message))?.reject(new FogbowError('plugin_failure', `the answer ${problem}`))
    }
  }

  function end(error: FogbowError, protocol = false): void {
    if (ended) return
    ended = error
    const calls = [...pending.values()]
    const served = [...serving.values()]
    pending.clear()
    waiting.clear()
    serving.clear()
    inFlight = 0
    for (const call of calls) call.reject(error)
    for (const call of served) call.cancel()
    noteActivity()
    options.transport.close()
    options.onEnd?.(error, protocol)
  }

  const { frameLength } = options
  const trusted = frameLength === 'trusted'

  options.transport.onMessage((frame) => {
    if (ended) return
    try {
      for (const message of trusted ? parseTrustedFrame(frame) : parseFrame(frame, frameLength)) {
        const problem = trusted ? undefined : problemOf(message)
        if (problem) refuseMessage(message, problem)
        else receive(message)
      }
      noteActivity()
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      end(new FogbowError('plugin_failure', `protocol violated: ${error.message}`), true)
    }
  })
  options.transport.onClose((reason, broken) =>
    end(new FogbowError('plugin_failure', reason), broken),
  )

  return {
    call,
    ask,
    abandon,
    emit: (name, data) => {
      if (!ended) outbox.push(`[5,${JSON.stringify(name)},${JSON.stringify(data)}]`)
    },
    grant: (calls) => {
      allowance = calls
      outbox.push(`[4,${calls}]`)
    },
    end: (error) => end(error),
    counts: {
      get inFlight() {
        return inFlight
      },
      get waiting() {
        return waiting.size
      },
      get served() {
        return serving.size
      },
      get unknownReplies() {
        return unknownReplies
      },
    },
  }
}

class Serving implements ServedCall {
  readonly remainingMs: number
  #cancelled = false
  #listener: (() => void) | undefined

  constructor(remainingMs: number) {
    this.remainingMs = remainingMs
  }

  onCancel(listener: () => void): void {
    if (this.#cancelled) listener()
    else this.#listener = listener
  }

  cancel(): void {
    this.#cancelled = true
    this.#listener?.()
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function toId(message: Message): number {
  if (!isId(message[1])) throw malformed(message)
  return message[1]
}

function malformed(message: Message): ProtocolError {
  return new ProtocolError(`a message of type ${message[0]} is malformed`)
}

/** Longest details of an error that cross, characters. */
const LONGEST_DETAILS = 4096

function toErrorText(error: unknown): string {
  try {
    const record = toErrorRecord(error)
    const text = JSON.stringify(record)
    const fits = text.length <= LONGEST_DETAILS + record.message.length * 6
    if (fits) return text
    return JSON.stringify({ code: record.code, message: record.message })
  } catch {
    return '{"code":"internal_error","message":"an error that cannot be described"}'
  }
}

function readError(value: unknown): FogbowError {
  const record = value as Partial<ErrorRecord> | null
  if (typeof record?.code !== 'string' || typeof record.message !== 'string') {
    throw new ProtocolError('an error must have a code and a message')
  }
  const details = record.details
  const known =
    typeof details === 'object' &&
    details !== null &&
    !Array.isArray(details) &&
    JSON.stringify(details).length <= LONGEST_DETAILS
  return fromErrorRecord({ code: record.code, message: record.message, ...(known && { details }) })
}

function nothing(): void {}
