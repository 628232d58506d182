import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

const FEDERATION_PORT = 5269
const ATTEMPTS = 50

/**
 * A loopback address of which nobody uses the port between servers. Every site of a test has one of its own, so that all
 * can listen on the standard ports, as they do in real life.
 */
export async function loopbackAddress(): Promise<string> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const address = `127.${randomInt(1, 250)}.${randomInt(1, 250)}.${randomInt(1, 250)}`
    if (await isFree(address)) return address
  }
  throw new Error(`no loopback address with a free port ${FEDERATION_PORT} was found`)
}

async function isFree(address: string): Promise<boolean> {
  const server = createServer()
  try {
    // Rejects when the address cannot be had.
    await once(server.listen(FEDERATION_PORT, address), 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
