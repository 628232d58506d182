import { type FederationUser, FogbowError, isAttributes, isName, isRoles } from '@fogbow/plugin-sdk'
import { type PasswordHash, parsePasswordHash } from './password.ts'

export interface User {
  name: string
  password: PasswordHash
  roles: string[]
  attributes: NonNullable<FederationUser['attributes']>
  disabled: boolean
}

/**
 * Reads the text of a users file, `{ "users": [{ "name", "password", "roles"?, "attributes"?, "disabled"? }] }`.
 * @throws configuration_error that names the entry and never shows a hash
 */
export function parseUsers(text: string): Map<string, User> {
  const entries = parseJson(text)
  const users = new Map<string, User>()
  entries.forEach((entry, index) => {
    const user = parseUser(entry, `users[${index}]`)
    if (users.has(user.name)) throw wrong(`users[${index}].name`, `'${user.name}' is there twice`)
    users.set(user.name, user)
  })
  return users
}

function parseJson(text: string): unknown[] {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which holds hashes.
    throw wrong('the text', 'is not JSON')
  }
  if (isRecord(file) && Array.isArray(file.users)) return file.users
  throw wrong('users', 'must be a list')
}

const knownKeys = new Set(['name', 'password', 'roles', 'attributes', 'disabled'])

function parseUser(entry: unknown, path: string): User {
  if (!isRecord(entry)) throw wrong(path, 'must be an object')
  const { name, password, roles = [], attributes = {}, disabled = false } = entry
  const unknown = Object.keys(entry).find((key) => !knownKeys.has(key))
  if (unknown) throw wrong(`${path}.${unknown}`, 'is not a known key')
  if (!isName(name)) throw wrong(`${path}.name`, 'must be a text of 1 to 255 characters')
  if (!isRoles(roles))
    throw wrong(`${path}.roles`, 'must be a list of at most 256 texts of 1 to 255 characters')
  if (!isAttributes(attributes))
    throw wrong(
      `${path}.attributes`,
      'must be at most 64 texts of 1024 characters, or lists of such',
    )
  if (typeof disabled !== 'boolean') throw wrong(`${path}.disabled`, 'must be true or false')
  const hash = typeof password === 'string' ? parsePasswordHash(password) : undefined
  if (!hash)
    throw wrong(
      `${path}.password`,
      'must be $scrypt$ln=15,r=8,p=1$<salt>$<hash>, with ln from 10, p up to 4 and at most 128 MiB',
    )
  return { name, password: hash, roles, attributes, disabled }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(where: string, problem: string): FogbowError {
  return new FogbowError(
    'configuration_error',
    `secret 'users' of local-identity: ${where} ${problem}`,
  )
}
