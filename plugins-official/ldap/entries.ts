import type { Client, Entry, SearchOptions } from 'ldapts'

/** What is read of an entry: attribute, in lower case → its values. */
export interface DirectoryEntry {
  dn: string
  values(attribute: string): readonly string[]
  first(attribute: string): string | undefined
}

/**
 * Entries that match; the directories that a referral names are not asked. Aliases are not followed either: they may
 * lead out of where users are allowed to be.
 */
export async function readEntries(
  client: Client,
  base: string,
  options: Pick<SearchOptions, 'filter' | 'scope' | 'attributes' | 'sizeLimit'>,
): Promise<DirectoryEntry[]> {
  const { searchEntries } = await client.search(base, { ...options, derefAliases: 'never' })
  return searchEntries.map(toEntry)
}

function toEntry({ dn, ...attributes }: Entry): DirectoryEntry {
  const byName = new Map<string, string[]>()
  for (const [name, value] of Object.entries(attributes)) {
    const values = (Array.isArray(value) ? value : [value]) as (string | Uint8Array)[]
    byName.set(
      name.toLowerCase(),
      values.map(toText).filter((text) => text !== ''),
    )
  }
  const values = (attribute: string) => byName.get(attribute.toLowerCase()) ?? []
  return { dn, values, first: (attribute) => values(attribute)[0] }
}

function toText(value: string | Uint8Array): string {
  return typeof value === 'string' ? value : new TextDecoder().decode(value)
}
