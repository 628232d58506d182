import { FogbowError } from '@fogbow/plugin-sdk'
import type { MemberId } from '../contract.ts'
import type { DialectName } from '../dialect.ts'
import { OWN_NAMESPACE } from '../own/index.ts'
import type { FederationSettings } from '../settings.ts'
import { jidOf } from '../site-jid.ts'
import type { PeerKeys } from '../trust/index.ts'
import { type PeerDiscovery, type PeerInfo, XmppError } from '../xmpp/index.ts'

/** How to speak to a member. */
export interface DialectChoice {
  /** @throws unavailable_provider when that cannot be found out, or is not allowed */
  of(member: MemberId): Promise<DialectName>
  /** Whether a member may ask in this dialect: who can sign must. */
  isAllowed(member: MemberId, dialect: DialectName): boolean
  /** Tries to learn the keys of a member of which none is known. @returns whether there are some now */
  introduce(member: MemberId): Promise<boolean>
}

export interface DialectChoiceParts {
  readonly settings: () => FederationSettings
  readonly peerKeys: PeerKeys
  readonly discovery: PeerDiscovery
}

export function createDialectChoice({
  settings,
  peerKeys,
  discovery,
}: DialectChoiceParts): DialectChoice {
  const introductions = new Map<MemberId, Promise<boolean>>()
  const configured = (member: MemberId) =>
    Object.hasOwn(settings().peers, member) ? settings().peers[member]?.dialect : undefined

  /** What discovery says is not signed: a member whose keys are known is never taken for one that cannot sign. */
  async function find(member: MemberId): Promise<DialectName> {
    const fixed = configured(member)
    if (fixed === 'java') return fixed
    if (peerKeys.knows(member)) return 'own'
    const info = await ask(member)
    if (!fixed && !info.features.has(OWN_NAMESPACE)) return 'java'
    await peerKeys.meet(member, announcedBy(info))
    return 'own'
  }

  async function ask(member: MemberId): Promise<PeerInfo> {
    try {
      return await discovery.ask(jidOf(member))
    } catch (error) {
      if (!(error instanceof XmppError)) throw error
      throw new FogbowError('unavailable_provider', `${member} cannot be asked: ${error.message}`)
    }
  }

  async function learnKeys(member: MemberId): Promise<boolean> {
    const isOpen = settings().newKeys === 'firstUse' && configured(member) !== 'java'
    if (!isOpen) return false
    try {
      return await peerKeys.meet(member, announcedBy(await ask(member)))
    } catch {
      return false
    }
  }

  return {
    async of(member) {
      const dialect = await find(member)
      if (dialect === 'own' && !peerKeys.knows(member))
        throw new FogbowError(
          'unavailable_provider',
          `${member} is not asked: none of its keys is known here; add them to federation.peers['${member}'].keys`,
        )
      if (dialect === 'java' && settings().unsigned === 'refused')
        throw new FogbowError(
          'unavailable_provider',
          `${member} is not asked: it signs nothing, and federation.unsigned refuses that`,
        )
      return dialect
    },
    isAllowed(member, dialect) {
      const fixed = configured(member)
      if (fixed)
        return fixed === dialect && (dialect === 'own' || settings().unsigned === 'allowed')
      return dialect === 'own' || (settings().unsigned === 'allowed' && !peerKeys.knows(member))
    },
    introduce(member) {
      let introduction = introductions.get(member)
      if (!introduction) {
        introduction = learnKeys(member).finally(() => introductions.delete(member))
        introductions.set(member, introduction)
      }
      return introduction
    },
  }
}

function announcedBy({ forms }: PeerInfo): readonly string[] {
  return forms.find(({ type }) => type === OWN_NAMESPACE)?.fields.keys ?? []
}
