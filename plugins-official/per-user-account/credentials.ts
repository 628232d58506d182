import { FogbowError } from '@fogbow/plugin-sdk'

export type Credentials = Record<string, Record<string, unknown>>

/**
 * Reads the text of a JSON object: user → fields of his credential, or a text, which becomes the field `credential`.
 * @throws configuration_error that never shows the text
 */
export function parseCredentials(text: string): Credentials {
  const entries = Object.entries(parseObject(text)).map(([name, value]) => {
    if (typeof value === 'string') return [name, { credential: value }]
    if (isFields(value)) return [name, value]
    throw wrong(`the credential of '${name}' must be a text or an object`)
  })
  return Object.fromEntries(entries)
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrong('it is not JSON')
  }
  if (isFields(value)) return value
  throw wrong('it must be an object, user → credential')
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(problem: string): FogbowError {
  return new FogbowError('configuration_error', `secret 'accounts' of per-user-account: ${problem}`)
}
