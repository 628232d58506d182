import type { Bridge } from './bridge.ts'
import type { ByteSource } from './byte-source.ts'
import { tell, writeToHost } from './host-bytes.ts'

/** A body on its way to the host, which takes it by number. */
export interface Upload {
  readonly id: number
  /** Rejects when what is sent cannot be read. */
  readonly failed: Promise<never>
  stop(reason: unknown): void
}

/** Opens a stream and feeds it as fast as the host takes it. */
export async function startUpload(bridge: Bridge, source: ByteSource): Promise<Upload> {
  const id = await open(bridge, source)
  let stopped = false

  async function pump(): Promise<void> {
    for (let chunk = await source.read(); chunk && !stopped; chunk = await source.read()) {
      // The answer of the request tells why the host reads no more.
      if (!(await isTaken(bridge, id, chunk))) return source.cancel()
    }
    if (!stopped) tell(bridge, 'stream.close', id)
  }

  function stop(reason: unknown): void {
    if (stopped) return
    stopped = true
    source.cancel(reason)
    tell(bridge, 'stream.cancel', id)
  }

  const failed = new Promise<never>((_resolve, reject) => {
    pump().catch((error) => {
      stop(error)
      reject(error)
    })
  })
  failed.catch(() => {})
  return { id, failed, stop }
}

async function open(bridge: Bridge, source: ByteSource): Promise<number> {
  try {
    return (await bridge.callHost('stream.open', []).answer) as number
  } catch (error) {
    source.cancel(error)
    throw error
  }
}

async function isTaken(bridge: Bridge, id: number, chunk: Uint8Array): Promise<boolean> {
  try {
    await writeToHost(bridge, id, chunk)
    return true
  } catch {
    return false
  }
}
