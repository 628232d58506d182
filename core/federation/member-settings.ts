import type { MemberId, MemberSource } from './contract.ts'
import type { FederationSettings, PeerSettings } from './settings.ts'

/** Where members come from, and keys that somebody who may do so vouches for. */
export interface MembersAndKeys extends Pick<MemberSource, 'members'> {
  /** As `kid:x`; the same object as long as they are the same. */
  statedKeys(): Readonly<Record<MemberId, readonly string[]>>
}

/**
 * The settings of the administrator, with the members of the moment and the keys that are known of them otherwise. A key that
 * the administrator wrote down stands above all that anybody states.
 */
export function createMemberSettings(
  written: () => FederationSettings,
  source: MembersAndKeys,
): () => FederationSettings {
  let last: {
    peers: FederationSettings['peers']
    stated: ReturnType<MembersAndKeys['statedKeys']>
    united: FederationSettings['peers']
  } = { peers: {}, stated: {}, united: {} }
  let whole: { settings: FederationSettings; result: FederationSettings } | undefined

  /** The same objects as before while nothing changed: keys are read once for each. */
  function unite(peers: FederationSettings['peers']): FederationSettings['peers'] {
    const stated = source.statedKeys()
    if (last.peers !== peers || last.stated !== stated) {
      const united: Record<MemberId, PeerSettings> = { ...peers }
      for (const [member, keys] of Object.entries(stated)) {
        const own = Object.hasOwn(peers, member) ? peers[member] : undefined
        if (!own?.keys?.length) united[member] = { ...own, keys }
      }
      last = { peers, stated, united }
    }
    return last.united
  }

  /** Asked many times for each request. */
  return () => {
    const settings = written()
    const members = source.members()
    const peers = unite(settings.peers)
    const isSame =
      whole?.settings === settings &&
      whole.result.members === members &&
      whole.result.peers === peers
    if (!whole || !isSame) whole = { settings, result: { ...settings, members, peers } }
    return whole.result
  }
}
