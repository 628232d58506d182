import { createPublicKey, generateKeyPair } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * The RSA key pair under which other services know this site; made at first start.
 * @returns base64 of the public key as X.509 SubjectPublicKeyInfo, on one line (what `publicKey` requests answer)
 */
export async function openSiteKey(dataDir: string): Promise<string> {
  const file = join(dataDir, 'keys', 'site.pem')
  const pem = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return makeKey(file)
    throw error
  })
  return createPublicKey(pem).export({ type: 'spki', format: 'der' }).toString('base64')
}

async function makeKey(file: string): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.new`, pem, { mode: 0o600 })
  await rename(`${file}.new`, file)
  return pem
}
