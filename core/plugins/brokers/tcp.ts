import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net'
import { FogbowError } from '@fogbow/plugin-sdk'

/** How long one of several addresses is tried before the next one is too (RFC 8305). */
const ATTEMPT_MS = 2_000

/**
 * Begins to connect.
 * @param addresses - where the name leads, checked; absent: wherever the system says
 */
export function openTcp(host: string, port: number, addresses?: readonly string[]): Socket {
  return connect({
    host,
    port,
    allowHalfOpen: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
    ...(addresses && { lookup: answering(addresses) }),
  })
}

/**
 * Resolves when the socket is connected, to one of the addresses if there are any.
 * @throws unavailable_provider; the signal's reason when it aborts
 */
export async function connected(
  socket: Socket,
  host: string,
  port: number,
  signal: AbortSignal,
  addresses?: readonly string[],
): Promise<void> {
  await settled(socket, 'connect', `${host}:${port}`, signal)
  if (!addresses || addresses.some((address) => isSame(address, socket.remoteAddress))) return
  socket.destroy()
  throw new FogbowError('internal_error', `${host} was reached at an address that was not checked`)
}

/** In place of a second look-up, which might answer otherwise: what was checked. */
function answering(addresses: readonly string[]): NonNullable<TcpNetConnectOpts['lookup']> {
  const found = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_name, options, callback) => {
    if (options.all) callback(null, found)
    else callback(null, found[0]?.address ?? '', found[0]?.family)
  }
}

function isSame(left: string, right: string | undefined): boolean {
  if (right === undefined || isIP(left) !== isIP(right)) return false
  return isIP(left) === 4 ? left === right : canonical(left) === canonical(right)
}

function canonical(address: string): string {
  return new URL(`http://[${address}]`).hostname
}

/**
 * Resolves when the event comes.
 * @param where - to whom it is connected, for messages
 * @throws unavailable_provider; the signal's reason when it aborts
 */
export async function settled(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  where: string,
  signal: AbortSignal,
): Promise<void> {
  const settling = new Promise<void>((resolve, reject) => {
    socket.once(event, resolve)
    socket.once('error', (cause: NodeJS.ErrnoException) => reject(unreachable(where, cause)))
    socket.once('close', () => reject(unreachable(where, { message: 'it closed the connection' })))
  })
  await unlessAborted(settling, signal, () => socket.destroy())
}

/** Waits for the work, but not when the signal aborts. */
export async function unlessAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal,
  giveUp: () => void = () => {},
): Promise<Result> {
  const aborted = Promise.withResolvers<never>()
  const abort = () => {
    giveUp()
    aborted.reject(signal.reason)
  }
  // Whichever comes second is not looked at any more.
  work.catch(() => {})
  aborted.promise.catch(() => {})
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort)
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function unreachable(where: string, cause: { code?: string; message: string }): FogbowError {
  const { code = cause.message } = cause
  const hint = /SELF_SIGNED|UNABLE_TO_/.test(code)
    ? '; if its certificate is of a private authority, add that to network.caFiles'
    : ''
  return new FogbowError('unavailable_provider', `${where} cannot be reached: ${code}${hint}`, {
    cause,
  })
}
