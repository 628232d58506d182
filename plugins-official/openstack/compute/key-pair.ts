import type { Cloud } from '../api/cloud.ts'
import { isCode } from '../api/cloud.ts'
import { segment } from '../parts.ts'

/** Nova takes keys by name only. A server keeps what its key pair was, so that the pair can go as soon as it exists. */
export async function makeKeyPair(cloud: Cloud, tag: string, publicKey: string): Promise<void> {
  try {
    await cloud.post('compute', '/os-keypairs', { keypair: { name: tag, public_key: publicKey } })
  } catch (error) {
    // An attempt before this one made it, with the same key.
    if (!isCode(error, 'unacceptable_operation')) throw error
  }
}

export function deleteKeyPair(cloud: Cloud, tag: string): Promise<void> {
  return cloud.delete('compute', `/os-keypairs/${segment(tag)}`)
}
