import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { FogbowError, invalid } from '@fogbow/plugin-sdk'

/** One user as the file has it. */
export interface UserRecord {
  name: string
  /** `$scrypt$ln=15,r=8,p=1$salt$hash`: PHC string format, salt and hash in standard base64 with padding. */
  password: string
  roles: string[]
  /** What the federation is told of the user, such as groups or e-mail. */
  attributes?: Record<string, string | string[]>
  /** Such a user cannot log in. */
  disabled?: boolean
}

/** Local users of a site. Every change is on disk, whole, when its promise resolves. */
export interface UsersFile {
  /** Ordered by name; empty when there is no file yet. */
  list(): Promise<UserRecord[]>
  /** @throws invalid_parameter for a name or password that is not allowed, or a name that is taken */
  add(user: { name: string; password: string; roles: readonly string[] }): Promise<void>
  /** @throws invalid_parameter for a password that is not allowed, not_found for an unknown user */
  setPassword(name: string, password: string): Promise<void>
  /** @throws not_found */
  setDisabled(name: string, disabled: boolean): Promise<void>
  /** @throws not_found */
  remove(name: string): Promise<void>
}

const SHORTEST_PASSWORD = 8
const LONGEST_PASSWORD = 1024
const names = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/
const roleNames = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,254}$/

/** 2^15 blocks of 8 take 32 MiB and about a tenth of a second (OWASP Password Storage Cheat Sheet). */
const cost = { logN: 15, blockSize: 8, parallelization: 1 }
const SALT_BYTES = 16
const HASH_BYTES = 32
const MAX_MEMORY_BYTES = 256 * 1024 * 1024
const derive = promisify<string, Buffer, number, object, Buffer>(scrypt)

/** Opens a users file that need not exist yet. Changes of one opened file follow each other. */
export function openUsersFile(path: string): UsersFile {
  let lastChange: Promise<unknown> = Promise.resolve()

  function change(edit: (users: UserRecord[]) => UserRecord[] | Promise<UserRecord[]>) {
    const next = lastChange.then(async () => write(path, await edit(await read(path))))
    lastChange = next.catch(() => undefined)
    return next
  }

  function changeOne(
    name: string,
    fields: () => Partial<UserRecord> | Promise<Partial<UserRecord>>,
  ) {
    return change(async (users) => {
      const user = find(users, name)
      return users.with(users.indexOf(user), { ...user, ...(await fields()) })
    })
  }

  return {
    list: () => read(path),
    add: ({ name, password, roles }) =>
      change(async (users) => {
        assertName(name)
        roles.forEach(assertRole)
        assertPassword(password)
        if (users.some((user) => user.name === name))
          throw invalid('name', `user '${name}' exists already`)
        return [...users, { name, password: await hashPassword(password), roles: [...roles] }]
      }),
    setPassword: (name, password) =>
      changeOne(name, () => {
        assertPassword(password)
        return hashPassword(password).then((hash) => ({ password: hash }))
      }),
    setDisabled: (name, disabled) => changeOne(name, () => ({ disabled })),
    remove: (name) =>
      change((users) => {
        const gone = find(users, name)
        return users.filter((user) => user !== gone)
      }),
  }
}

/** Takes as long for a wrong password as for the right one; false for a hash that cannot be read. */
export async function verifyPassword(
  record: Pick<UserRecord, 'password'>,
  password: string,
): Promise<boolean> {
  const parts =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]+=*)$/.exec(
      record.password,
    )
  if (!parts) return false
  const [logN, blockSize, parallelization] = parts.slice(1, 4).map(Number) as [
    number,
    number,
    number,
  ]
  const expected = Buffer.from(parts[5] ?? '', 'base64')
  const salt = Buffer.from(parts[4] ?? '', 'base64')
  try {
    const actual = await derive(password, salt, expected.length, {
      N: 2 ** logN,
      r: blockSize,
      p: parallelization,
      maxmem: MAX_MEMORY_BYTES,
    })
    return expected.length > 0 && timingSafeEqual(actual, expected)
  } catch {
    return false
  }
}

/** Letters and digits that are not mistaken for one another: 20 of these 55 are 115 bits. */
const unambiguous = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789'

/** A random password of 20 characters that can be read aloud and typed. */
export function createPassword(): string {
  return Array.from({ length: 20 }, () => unambiguous[randomInt(unambiguous.length)]).join('')
}

async function hashPassword(password: string): Promise<string> {
  const { logN, blockSize, parallelization } = cost
  const salt = randomBytes(SALT_BYTES)
  const options = { N: 2 ** logN, r: blockSize, p: parallelization, maxmem: MAX_MEMORY_BYTES }
  const hash = await derive(password, salt, HASH_BYTES, options)
  const parameters = `ln=${logN},r=${blockSize},p=${parallelization}`
  return `$scrypt$${parameters}$${salt.toString('base64')}$${hash.toString('base64')}`
}

async function read(path: string): Promise<UserRecord[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return []
    throw unreadable(path, 'it cannot be read', cause)
  }
  try {
    const { users } = JSON.parse(text) as { users: unknown }
    if (Array.isArray(users) && users.every(isUserRecord)) return users.toSorted(byName)
  } catch (cause) {
    throw unreadable(path, 'it is not JSON', cause)
  }
  throw unreadable(path, 'users must be a list of {name, password, roles}')
}

/** A rename is seen whole or not at all, whenever the machine stops. */
async function write(path: string, users: UserRecord[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}.draft`
  const text = `${JSON.stringify({ users: users.toSorted(byName) }, null, 2)}\n`
  await writeFile(draft, text, { mode: 0o600, flush: true })
  await rename(draft, path)
}

function isUserRecord(value: unknown): value is UserRecord {
  if (typeof value !== 'object' || value === null) return false
  const { name, password, roles } = value as Record<string, unknown>
  return typeof name === 'string' && typeof password === 'string' && Array.isArray(roles)
}

function byName(a: UserRecord, b: UserRecord): number {
  return a.name < b.name ? -1 : 1
}

function find(users: UserRecord[], name: string): UserRecord {
  const user = users.find((each) => each.name === name)
  if (user) return user
  throw new FogbowError('not_found', `No local user is named '${name}'`)
}

function assertName(name: string): void {
  if (!names.test(name))
    throw invalid(
      'name',
      `'${name}' must be 1 to 128 letters, digits or . _ @ + -, letter or digit first`,
    )
}

function assertRole(role: string): void {
  if (!roleNames.test(role))
    throw invalid('roles', `'${role}' must be letters, digits or . _ : -, letter or digit first`)
}

function assertPassword(password: string): void {
  if (password.length < SHORTEST_PASSWORD || password.length > LONGEST_PASSWORD)
    throw invalid('password', `must have ${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD} characters`)
}

function unreadable(path: string, problem: string, cause?: unknown): FogbowError {
  return new FogbowError('configuration_error', `Users file ${path}: ${problem}`, { cause })
}
