import { readFile, stat, writeFile } from 'node:fs/promises'
import { FogbowError } from '@fogbow/plugin-sdk'
import {
  createSigningKey,
  readSigningKey,
  readVerifyingKey,
  type SigningKey,
  type VerifyingKey,
} from '../trust/signing-key.ts'

const OWNER_ONLY = 0o600
const OTHERS = 0o077

/**
 * Makes an Ed25519 key and keeps it in a new file that only its owner can read.
 * @throws configuration_error when the file is there: a key that was overwritten is lost for good
 */
export async function createKeyFile(path: string): Promise<SigningKey> {
  const key = createSigningKey()
  try {
    await writeFile(path, key.export(), { flag: 'wx', mode: OWNER_ONLY })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unreadable(path, error)
    const problem = `Key file '${path}' exists already; name another one, or show it with --show`
    throw new FogbowError('configuration_error', problem, { cause: error })
  }
  return key
}

/** @throws configuration_error naming the file; also when somebody else can read it */
export async function readKeyFile(path: string): Promise<SigningKey> {
  const text = await readText(path)
  const { mode } = await stat(path)
  if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
    const problem = `Key file '${path}' can be read by others than its owner; run: chmod 600 ${path}`
    throw new FogbowError('configuration_error', problem)
  }
  return named(path, () => readSigningKey(text))
}

/** @param given - public text `keyId:key`, or a file that holds it or the secret key */
export async function readPublicKey(given: string): Promise<VerifyingKey> {
  if (given.includes(':') && !/[/\\]/.test(given)) return readVerifyingKey(given)
  const text = await readText(given)
  if (text.includes('PRIVATE KEY')) return readKeyFile(given)
  return named(given, () => readVerifyingKey(text.trim()))
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw unreadable(path, error)
  }
}

function named<Key>(path: string, read: () => Key): Key {
  try {
    return read()
  } catch (error) {
    const problem = `${path}: ${(error as Error).message}`
    throw new FogbowError('configuration_error', problem, { cause: error })
  }
}

function unreadable(path: string, error: unknown): FogbowError {
  const problem = `Key file '${path}': ${(error as Error).message}`
  return new FogbowError('configuration_error', problem, { cause: error })
}
