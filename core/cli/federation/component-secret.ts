import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { usage } from '../exit.ts'

const BYTES = 24

/**
 * The secret that site and XMPP server share; made when the file is not there. One that exists is kept, since the server
 * may have it already.
 * @throws CommandError when it has characters that a configuration cannot hold
 */
export async function openComponentSecret(path: string): Promise<string> {
  try {
    const secret = (await readFile(path, 'utf8')).trim()
    if (/^[\w.+/=-]{16,}$/.test(secret)) return secret
    throw usage(
      `${path} holds less than 16 characters, or others than letters, digits and . + / = - _`,
      'remove it, and a new secret is made',
    )
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const secret = randomBytes(BYTES).toString('base64url')
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, `${secret}\n`, { mode: 0o600, flag: 'wx' })
  return secret
}
