import type { MemberId } from '../contract.ts'
import type { Log } from '../xmpp/index.ts'

/** Says once for each member what trading with it in this protocol means. Only for members that may be traded with. */
export function createWarning(log: Log): (member: MemberId) => void {
  const warned = new Set<MemberId>()
  return (member) => {
    if (warned.has(member)) return
    warned.add(member)
    log.warn(
      { member, dialect: 'java' },
      `${member} speaks the protocol of the original service, in which nothing is signed and nothing protects from ` +
        `repetition; to refuse it, set federation.peers['${member}'].dialect to 'own', or federation.unsigned to 'refused' for all`,
    )
  }
}
