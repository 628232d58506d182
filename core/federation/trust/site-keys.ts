import { createPrivateKey, generateKeyPair, type KeyObject, type webcrypto } from 'node:crypto'
import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
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
  /** Those for which peers may encrypt: the present one, and the one before or after it. */
  readonly decryption: readonly KeyPair[]
  /** What peers should accept, as `kid:x`: the keys of both kinds, each with the one before or after it. */
  readonly announced: readonly string[]
  /** As `kid:x`: the key that is to sign next, while there is one. */
  readonly next?: string | undefined
  /** Makes the keys that come next; peers learn of them while the present one still signs. @returns that which signs, as `kid:x` */
  announceNext(): Promise<string>
  /** From now on the next keys count; those before stay announced until they are dropped. */
  takeNext(): Promise<void>
  /** Peers are to forget the keys before. */
  dropFormer(): Promise<void>
}

/** Keys in a file that somebody else may change: an administrator, while the site runs. */
export interface SiteKeyFile extends SiteKeys {
  /**
   * Takes over what is in the file by now.
   * @returns whether that is something else than before
   * @throws configuration_error; the keys stay what they were
   */
  reread(): Promise<boolean>
}

interface KeyFile {
  readonly signing: JsonWebKey
  readonly encryption: JsonWebKey
  readonly next?: JsonWebKey
  readonly nextEncryption?: JsonWebKey
  /** Public only: as `kid:x`. */
  readonly former?: string
  /** Whole: peers may still encrypt for it. */
  readonly formerEncryption?: JsonWebKey
}

type JsonWebKey = webcrypto.JsonWebKey

const generate = promisify(generateKeyPair)

/**
 * Reads the keys of `keys/federation.json` in the data directory; makes them at the first start.
 * @throws configuration_error when the file is damaged: another identity than before is never taken silently
 */
export async function openSiteKeys(dataDir: string): Promise<SiteKeyFile> {
  const path = join(dataDir, 'keys', 'federation.json')
  let file = (await readKeyFile(path)) ?? (await makeKeyFile(path))
  let pairs = toPairs(file, path)
  let version = await versionOf(path)

  async function change(next: KeyFile): Promise<void> {
    await writeKeyFile(path, next)
    file = next
    pairs = toPairs(next, path)
    version = await versionOf(path)
  }

  return {
    get signing() {
      return pairs.signing
    },
    get encryption() {
      return pairs.encryption
    },
    get decryption() {
      return pairs.decryption
    },
    get announced() {
      return pairs.announced
    },
    get next() {
      return file.next && writePublicKey(toPair('sig', file.next))
    },
    async announceNext() {
      const { signing, encryption } = file
      if (!file.next) {
        const [next, nextEncryption] = [await makeKey('ed25519'), await makeKey('x25519')]
        await change({ signing, encryption, next, nextEncryption })
      }
      return writePublicKey(toPair('sig', file.next ?? file.signing))
    },
    async takeNext() {
      const { signing, encryption, next, nextEncryption } = file
      if (!next) throw problem(path, 'there is no next key; announce one first')
      const former = writePublicKey(toPair('sig', signing))
      const ofEncryption = nextEncryption
        ? { encryption: nextEncryption, formerEncryption: encryption }
        : { encryption }
      await change({ signing: next, former, ...ofEncryption })
    },
    async dropFormer() {
      const { former, formerEncryption: _formerEncryption, ...rest } = file
      if (former) await change(rest)
    },
    async reread() {
      const found = await versionOf(path)
      if (found === version) return false
      const next = await readKeyFile(path)
      if (!next) throw problem(path, 'it is gone')
      pairs = toPairs(next, path)
      file = next
      version = found
      return true
    },
  }
}

/** Names what is in the file: it is never changed but replaced as a whole. */
async function versionOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  return found ? `${found.ino} ${found.mtimeMs} ${found.size}` : ''
}

async function readKeyFile(path: string): Promise<KeyFile | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
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
  const file = { signing: await makeKey('ed25519'), encryption: await makeKey('x25519') }
  await writeKeyFile(path, file)
  return file
}

async function makeKey(kind: 'ed25519' | 'x25519'): Promise<JsonWebKey> {
  const { privateKey } = await (kind === 'ed25519' ? generate('ed25519') : generate('x25519'))
  return privateKey.export({ format: 'jwk' })
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
    const otherEncryption = file.nextEncryption ?? file.formerEncryption
    const decryption = [file.encryption, otherEncryption]
      .filter((key) => key !== undefined)
      .map((key) => toPair('enc', key))
    const announced = [signing, other ?? former, ...decryption].filter((key) => key !== undefined)
    return { signing, encryption, decryption, announced: announced.map(writePublicKey) }
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
