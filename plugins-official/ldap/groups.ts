import type { Client } from 'ldapts'
import { type DirectoryEntry, readEntries } from './entries.ts'
import { comparableDn, comparableValue, fillFilter, firstValue, isBelow } from './names.ts'
import { isRefusal } from './problems.ts'
import type { Settings } from './settings.ts'

const MOST_GROUPS = 256

/** DNs of the groups of a user, and of the groups of these if that counts; circles end by themselves. */
export async function groupsOf(
  client: Client,
  user: DirectoryEntry,
  username: string,
  { groups }: Settings,
): Promise<string[]> {
  const found = new Map<string, string>()
  let layer = [user]
  while (layer.length > 0 && found.size < MOST_GROUPS) {
    const next: DirectoryEntry[] = []
    for (const member of layer) {
      for (const group of await parents(client, member, username, groups)) {
        const key = comparableDn(group.dn)
        if (found.has(key) || found.size >= MOST_GROUPS) continue
        found.set(key, group.dn)
        next.push(group)
      }
    }
    layer = groups.nested ? next : []
  }
  return [...found.values()]
}

/** Groups in which an entry is: those that it names itself, and those that name it. */
async function parents(
  client: Client,
  member: DirectoryEntry,
  username: string,
  { memberOf, base, filter, nested }: Settings['groups'],
): Promise<DirectoryEntry[]> {
  const attributes = [memberOf ?? '1.1']
  const named = memberOf === undefined ? [] : member.values(memberOf)
  const read = await Promise.all(
    named.map((dn) => (nested ? readGroup(client, dn, attributes) : bare(dn))),
  )
  if (base === undefined || memberOf !== undefined) return read
  const values = { dn: member.dn, username }
  return readEntries(client, base, { filter: fillFilter(filter, values), scope: 'sub', attributes })
}

/** A group that cannot be read counts, and its own groups do not. */
async function readGroup(
  client: Client,
  dn: string,
  attributes: string[],
): Promise<DirectoryEntry> {
  try {
    const [group] = await readEntries(client, dn, { scope: 'base', attributes })
    return group ?? bare(dn)
  } catch (error) {
    if (isRefusal(error)) return bare(dn)
    throw error
  }
}

function bare(dn: string): DirectoryEntry {
  return { dn, values: () => [], first: () => undefined }
}

/**
 * Roles for groups. A group is named by its DN, or by its first value when it is below `groups.base`: elsewhere somebody
 * may have made one of the same name.
 */
export function createRoles({ roles, everybody, groups }: Settings) {
  const byDn = new Map<string, string[]>()
  const byName = new Map<string, string[]>()
  for (const [group, given] of Object.entries(roles)) {
    if (group.includes('=')) byDn.set(comparableDn(group), given)
    else byName.set(comparableValue(group), given)
  }
  const base = groups.base === undefined ? undefined : comparableDn(groups.base)
  return (dns: readonly string[]): string[] => {
    const given = dns.flatMap((dn) => {
      const key = comparableDn(dn)
      const isNear = base !== undefined && isBelow(key, base)
      return [...(byDn.get(key) ?? []), ...((isNear && byName.get(firstValue(dn))) || [])]
    })
    return [...new Set([...everybody, ...given])]
  }
}
