import { readFile } from 'node:fs/promises'
import { FogbowError } from '@fogbow/plugin-sdk'

/** Looks up the value behind a secret reference, `env:NAME` or `file:path`. Values are never kept nor logged. */
export type SecretReader = (reference: string) => Promise<string>

/** @param key - where the reference stands in the configuration, for messages */
export async function readSecret(
  reference: string,
  key: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  if (reference.startsWith('env:')) {
    const value = env[reference.slice(4)]
    if (value === undefined)
      throw missing(key, `the environment variable ${reference.slice(4)} is not set`)
    return value
  }
  const file = reference.slice('file:'.length)
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
  } catch (cause) {
    throw missing(key, `cannot read ${file}: ${(cause as NodeJS.ErrnoException).code}`, cause)
  }
}

function missing(key: string, problem: string, cause?: unknown): FogbowError {
  return new FogbowError('configuration_error', `${key}: ${problem}`, { cause })
}
