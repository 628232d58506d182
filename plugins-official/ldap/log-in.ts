import {
  type Credentials,
  FogbowError,
  isName,
  type PluginHost,
  type SignedUser,
} from '@fogbow/plugin-sdk'
import { type Client, PasswordPolicyControl } from 'ldapts'
import type { Connections } from './connections.ts'
import { type DirectoryEntry, readEntries } from './entries.ts'
import { createRoles, groupsOf } from './groups.ts'
import { fillDn, fillFilter } from './names.ts'
import { isRefusal, policyProblem, wrongLogIn } from './problems.ts'
import { type Settings, wrong } from './settings.ts'

export type LogIn = (credentials: Credentials) => Promise<SignedUser>

/**
 * Log-in by bind: whoever can bind with the password is who the directory says. The user is found by the account that
 * searches, or named by a DN that is known beforehand.
 */
export function createLogIn(
  { log }: Pick<PluginHost<unknown>, 'log'>,
  connections: Connections,
  settings: Settings,
): LogIn {
  const { search, userDn, attributes } = settings
  const rolesOf = createRoles(settings)
  const wanted = [
    ...new Set([attributes.id, attributes.name, ...Object.values(attributes.others)]),
    ...(settings.groups.memberOf === undefined ? [] : [settings.groups.memberOf]),
  ]

  async function find(username: string): Promise<DirectoryEntry | undefined> {
    if (!search) return undefined
    const { base, scope } = search
    const filter = fillFilter(search.filter, { username })
    const options = { filter, scope, attributes: wanted, sizeLimit: 2 }
    const found = await connections.use('searcher', (client) => readEntries(client, base, options))
    if (found.length > 1)
      log.warn('a user name matches several entries, so that nobody logs in by it')
    return found.length === 1 ? found[0] : undefined
  }

  /** A name that nobody has is tried like any other, so that it takes as long. */
  function dnFor(username: string, entry: DirectoryEntry | undefined): string {
    if (entry) return entry.dn
    const template = userDn ?? `${attributes.id}={username},${search?.base}`
    return fillDn(template, { username })
  }

  async function readOwn(client: Client, dn: string): Promise<DirectoryEntry> {
    const [entry] = await readEntries(client, dn, { scope: 'base', attributes: wanted })
    if (entry) return entry
    throw wrong('userDn', 'leads to entries that their users may not read')
  }

  async function describe(client: Client, entry: DirectoryEntry, username: string) {
    return toUser(entry, rolesOf(await groupsOf(client, entry, username, settings)), settings)
  }

  return async ({ username = '', password = '' }) => {
    // Without a password a bind is anonymous, and succeeds for every name (RFC 4513, section 5.1.2).
    if (password === '' || !isName(username) || username.includes('\0')) throw wrongLogIn()
    const entry = await find(username)
    const dn = dnFor(username, entry)
    const own = await connections.use('anybody', async (client) => {
      await bindAs(client, dn, password)
      if (search && !entry) throw wrongLogIn()
      const known = entry ?? (await readOwn(client, dn))
      const isReader = settings.bindDn === undefined
      return { known, user: isReader ? await describe(client, known, username) : undefined }
    })
    if (own.user) return own.user
    return connections.use('searcher', (client) => describe(client, own.known, username))
  }
}

async function bindAs(client: Client, dn: string, password: string): Promise<void> {
  const policy = new PasswordPolicyControl()
  try {
    await client.bind(dn, password, policy)
  } catch (error) {
    if (!isRefusal(error)) throw error
    throw policyProblem(policy) ?? wrongLogIn()
  }
  // It may bind, and do nothing but change the password.
  const problem = policyProblem(policy)
  if (problem) throw problem
}

function toUser(entry: DirectoryEntry, roles: string[], { attributes }: Settings): SignedUser {
  const id = entry.first(attributes.id)
  if (!isName(id)) {
    throw new FogbowError(
      'configuration_error',
      `the entry of the user has no attribute '${attributes.id}' of 1 to 255 characters, which is to be the id`,
    )
  }
  return {
    id,
    name: entry.first(attributes.name)?.slice(0, 255) ?? id,
    roles: roles.slice(0, 256),
    attributes: Object.fromEntries(
      Object.entries(attributes.others).flatMap(([name, attribute]) => {
        const values = entry.values(attribute).filter((value) => value.length <= 1024)
        if (values.length === 0) return []
        return [[name, values.length === 1 ? (values[0] ?? '') : values.slice(0, 256)]]
      }),
    ),
  }
}
