import type { Bridge } from './bridge.ts'
import type { ByteSource } from './byte-source.ts'

/** Most bytes of one chunk between a plugin and its host. */
export const longestChunk = 65_536

/** A stream of the host, by its number. */
export function hostSource(bridge: Bridge, id: number): ByteSource {
  let open = true
  return {
    async read() {
      if (!open) return null
      try {
        const text = await bridge.callHost('stream.read', [id]).answer
        if (text === null) open = false
        return text === null ? null : (bridge.fromBase64(text as string) ?? null)
      } catch (error) {
        open = false
        throw error
      }
    },
    cancel() {
      if (!open) return
      open = false
      tell(bridge, 'stream.cancel', id)
    },
  }
}

/** Writes to a stream of the host and resolves when more may be written. */
export async function writeToHost(bridge: Bridge, id: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; at += longestChunk) {
    const text = bridge.toBase64(bytes.subarray(at, at + longestChunk))
    await bridge.callHost('stream.write', [id, text]).answer
  }
}

/** Says something of a stream to the host, whether it still knows it or not. */
export function tell(bridge: Bridge, method: 'stream.close' | 'stream.cancel', id: number): void {
  bridge.callHost(method, [id]).answer.catch(nothing)
}

function nothing(): void {}
