import { createPrivateKey, generateKeyPair, type KeyObject, type webcrypto } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { FogbowError } from '@fogbow/plugin-sdk'
import { type PublicKey, publicKey, readPublicKey, writePublicKey } from './public-key.ts'

export interface KeyPair extends PublicKey {
  readonly privateKey: KeyObject
}

/** The keys under which other sites know this one. */
export interface SiteKeys {
  readonly signing: KeyPair
  readonly encryption: KeyPair
  /** What peers should accept, as `kid:x`: the signing key, the one before or after it, and the one for encryption. */
  readonly announced: readonly string[]
  /** As `kid:x`: the key that is to sign next, while there is one. */
  readonly next?: string | undefined
  /** Makes the key that comes next; peers learn of it while the present one still signs. @returns it as `kid:x` */
  announceNext(): Promise<string>
  /** From now on the next key signs; the one before stays announced until it is dropped. */
  takeNext(): Promise<void>
  /** Peers are to forget the key before. */
  dropFormer(): Promise<void>
}

interface KeyFile {
  readonly signing: JsonWebKey
  readonly encryption: JsonWebKey
  readonly next?: JsonWebKey
  /** Public only: as `kid:x`. */
  readonly former?: string
}

type JsonWebKey = webcrypto.JsonWebKey

const generate = promisify(generateKeyPair)

/**
 * Reads the keys of `keys/federation.json` in the data directory; makes them at the first start.
 * @throws configuration_error when the file is damaged: another identity than before is never taken silently
 */
export async function openSiteKeys(dataDir: string): Promise<SiteKeys> {
  const path = join(dataDir, 'keys', 'federation.json')
  let file = await readKeyFile(path)
  let pairs = toPairs(file, path)

  async function change(next: KeyFile): Promise<void> {
    await writeKeyFile(path, next)
    file = next
    pairs = toPairs(next, path)
  }

  return {
    get signing() {
      return pairs.signing
    },
    get encryption() {
      return pairs.encryption
    },
    get announced() {
      return pairs.announced
    },
    get next() {
      return file.next && writePublicKey(toPair('sig', file.next))
    },
    async announceNext() {
      const { signing, encryption } = file
      if (!file.next) await change({ signing, encryption, next: await makeSigningKey() })
      return writePublicKey(toPair('sig', file.next ?? file.signing))
    },
    async takeNext() {
      const { signing, encryption, next } = file
      if (!next) throw problem(path, 'there is no next key; announce one first')
      await change({ signing: next, encryption, former: writePublicKey(toPair('sig', signing)) })
    },
    async dropFormer() {
      const { former, ...rest } = file
      if (former) await change(rest)
    },
  }
}

async function readKeyFile(path: string): Promise<KeyFile> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return makeKeyFile(path)
    throw error
  }
  await chmod(path, 0o600)
  try {
    return JSON.parse(text) as KeyFile
  } catch {
    throw problem(path, 'it is not JSON')
  }
}

async function makeKeyFile(path: string): Promise<KeyFile> {
  const encryption = await generate('x25519')
  const file = {
    signing: await makeSigningKey(),
    encryption: encryption.privateKey.export({ format: 'jwk' }),
  }
  await writeKeyFile(path, file)
  return file
}

async function makeSigningKey(): Promise<JsonWebKey> {
  return (await generate('ed25519')).privateKey.export({ format: 'jwk' })
}

/** As a whole, so that a crash leaves the file before or the file after. */
async function writeKeyFile(path: string, file: KeyFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(`${path}.new`, `${JSON.stringify(file, undefined, 2)}\n`, {
    mode: 0o600,
    flush: true,
  })
  await rename(`${path}.new`, path)
}

function toPairs(file: KeyFile, path: string) {
  try {
    const signing = toPair('sig', file.signing)
    const encryption = toPair('enc', file.encryption)
    const other = file.next ? toPair('sig', file.next) : undefined
    const former = file.former === undefined ? undefined : readPublicKey(file.former)
    const announced = [signing, other ?? former, encryption].filter((key) => key !== undefined)
    return { signing, encryption, announced: announced.map(writePublicKey) }
  } catch (cause) {
    throw problem(path, cause instanceof Error ? cause.message : String(cause))
  }
}

function toPair(use: 'sig' | 'enc', jwk: JsonWebKey): KeyPair {
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' })
  const { x, kid } = publicKey(use, String(jwk.x))
  const expected = use === 'sig' ? 'ed25519' : 'x25519'
  if (privateKey.asymmetricKeyType !== expected) throw new Error(`a key is not of kind ${expected}`)
  return { ...publicKey(use, x), kid, privateKey }
}

function problem(path: string, why: string): FogbowError {
  return new FogbowError(
    'configuration_error',
    `Keys of the site in ${path}: ${why}. Restore the file from a copy: with other keys its peers do not know it`,
  )
}
