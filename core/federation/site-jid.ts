import { domainOf } from './xmpp/index.ts'

/** The name of a site's component, as the original service has it too. */
const PREFIX = 'ras-'

/** Where a member is asked. */
export function jidOf(member: string): string {
  return PREFIX + member
}

/** Whose stanza it is by its `from`, as the servers on the way say; undefined when no site has such a name. */
export function siteOf(jid: string): string | undefined {
  const domain = domainOf(jid)
  if (!domain.startsWith(PREFIX) || domain.length === PREFIX.length || jid.includes('@'))
    return undefined
  return domain.slice(PREFIX.length)
}
