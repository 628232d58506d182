/** The domain of a JID, in lower case as servers write it (RFC 7622). */
export function domainOf(jid: string): string {
  const slash = jid.indexOf('/')
  const bare = slash < 0 ? jid : jid.slice(0, slash)
  return bare.slice(bare.indexOf('@') + 1).toLowerCase()
}

/** A JID as it can be compared: all in lower case but the resource. */
export function comparableJid(jid: string): string {
  const slash = jid.indexOf('/')
  if (slash < 0) return jid.toLowerCase()
  return jid.slice(0, slash).toLowerCase() + jid.slice(slash)
}
