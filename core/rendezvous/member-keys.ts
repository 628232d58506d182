import { FogbowError } from '@fogbow/plugin-sdk'
import {
  type Heartbeat,
  type Met,
  readCertificate,
  readKeys,
} from '../federation/membership/index.ts'
import { type PublicKey, Refusal, writePublicKey } from '../federation/trust/index.ts'
import type { Log } from '../federation/xmpp/index.ts'
import type { RendezvousSettings } from './settings.ts'

/** Which keys each member has, and whether what comes under its name is its own. */
export interface MemberKeys {
  /** @param via - itself, or a neighbour that repeats what it said. @throws Refusal */
  assertSigned(member: string, heartbeat: Heartbeat, via: 'member' | 'neighbour'): Promise<void>
  /** @throws Refusal unless a member may come without signature and shows the same certificate as ever */
  assertUnsigned(member: string, certificate: string | undefined, now: number): Promise<void>
  /** Whether it is taken only with a signature. */
  hasToSign(member: string): boolean
  of(member: string): { readonly keys: readonly PublicKey[]; readonly met: Met } | undefined
  /** What has to outlive the process. */
  learnt(): Readonly<Record<string, LearntKeys>>
}

/** Keys that came from the member itself. */
export interface LearntKeys {
  /** As `kid:x`; none for a member that shows a certificate and signs nothing. */
  readonly keys: readonly string[]
  readonly fingerprint?: string
  readonly met: Met
  /** The configured key at the beginning of the chain, or `first use`. */
  readonly root: string
  /** ms since the epoch; of the heartbeat that announced them. An older one changes nothing. */
  readonly announcedAt: number
}

export interface MemberKeyParts {
  readonly settings: Pick<RendezvousSettings, 'keys' | 'newKeys' | 'unsigned'>
  readonly known: Readonly<Record<string, LearntKeys>>
  readonly log: Log
  /** Resolves when `learnt()` is durable: before that nobody is told that it was taken. */
  readonly keep: () => Promise<void>
}

const FIRST_USE = 'first use'

/** @throws configuration_error naming the member whose keys cannot be read */
export function createMemberKeys({ settings, known, log, keep }: MemberKeyParts): MemberKeys {
  const { newKeys, unsigned } = settings
  const configured = new Map(
    Object.entries(settings.keys).map(([member, keys]) => [member, readConfigured(member, keys)]),
  )
  const learnt = new Map(Object.entries(known))
  const own = (member: string) => configured.get(member) ?? []

  /** Without the configured key at its root, or against the settings of today, what was learnt does not count. */
  function counting(member: string): LearntKeys | undefined {
    const found = learnt.get(member)
    if (!found || newKeys === 'pinned') return undefined
    if (found.root !== FIRST_USE)
      return own(member).some(({ kid }) => kid === found.root) ? found : undefined
    return newKeys === 'firstUse' && own(member).length === 0 ? found : undefined
  }

  function believed(member: string): readonly PublicKey[] {
    return [...own(member), ...readKeys(counting(member)?.keys ?? [])]
  }

  async function learn(member: string, next: LearntKeys): Promise<void> {
    const before = learnt.get(member)
    learnt.set(member, next)
    try {
      await keep()
    } catch (error) {
      if (before) learnt.set(member, before)
      else learnt.delete(member)
      throw error
    }
  }

  async function meet(member: string, heartbeat: Heartbeat, met: Met): Promise<void> {
    if (newKeys !== 'firstUse')
      throw new Refusal('unknown-key', `no key of ${member} is known here: configure one`)
    heartbeat.assertSignedBy(heartbeat.keys)
    const announced = { keys: heartbeat.keys.map(writePublicKey), announcedAt: heartbeat.madeAt }
    await learn(member, { ...announced, met, root: FIRST_USE })
    const { kid } = heartbeat
    log.warn(
      { peer: member, key: kid, met },
      'the first key of a member was taken as its own, unseen',
    )
  }

  async function follow(member: string, heartbeat: Heartbeat, met: Met): Promise<void> {
    const before = counting(member)
    if (newKeys === 'pinned' || heartbeat.madeAt <= (before?.announcedAt ?? 0)) return
    const { kid } = heartbeat
    const keys = heartbeat.keys.map(writePublicKey)
    if (!heartbeat.keys.some((key) => key.kid === kid)) return
    const isOwn = own(member).some((key) => key.kid === kid)
    const root = isOwn ? kid : (before?.root ?? kid)
    const isSame = before
      ? keys.join() === before.keys.join() && before.met === met
      : onlyOwn(member, keys)
    if (isSame) return
    await learn(member, { keys, met, root, announcedAt: heartbeat.madeAt })
    log.info({ peer: member, keys, vouchedBy: kid }, 'keys of a member were learnt')
  }

  const onlyOwn = (member: string, keys: readonly string[]) =>
    keys.every((key) => own(member).some((configuredKey) => writePublicKey(configuredKey) === key))

  return {
    hasToSign: (member) => unsigned === 'refused' || believed(member).length > 0,

    async assertSigned(member, heartbeat, via) {
      if (heartbeat.from !== member)
        throw new Refusal('foreign-issuer', `signed by ${heartbeat.from.slice(0, 80)}`)
      const keys = believed(member)
      const before = counting(member)
      const isKnown = keys.some(({ kid }) => kid === heartbeat.kid)
      // What a neighbour said first does not stand against the member's own word.
      const isHearsay = via === 'member' && before?.met === 'relayed' && own(member).length === 0
      const met = via === 'member' ? 'firstUse' : (before?.met ?? 'relayed')
      if (!isKnown && ((keys.length === 0 && !before?.fingerprint) || isHearsay))
        return meet(member, heartbeat, met)
      heartbeat.assertSignedBy(keys)
      await follow(member, heartbeat, own(member).length > 0 ? 'configured' : met)
    },

    async assertUnsigned(member, certificate, now) {
      if (believed(member).length > 0)
        throw new Refusal('unsigned', `${member} has a key, and has to sign with it`)
      if (unsigned === 'refused')
        throw new Refusal('unsigned', 'members that sign nothing are not taken here')
      const before = counting(member)?.fingerprint
      if (certificate === undefined && before === undefined) return
      const shown = certificate === undefined ? undefined : readCertificate(certificate, now)
      if (before !== undefined && shown?.fingerprint !== before)
        throw new Refusal('unknown-key', `${member} shows another certificate than before`)
      if (before !== undefined || !shown) return
      if (newKeys !== 'firstUse')
        throw new Refusal('unknown-key', `no certificate of ${member} is known here`)
      const met = 'firstUse'
      const { fingerprint } = shown
      await learn(member, { keys: [], fingerprint, met, root: FIRST_USE, announcedAt: now })
      log.warn({ peer: member, fingerprint }, 'the first certificate of a member was taken, unseen')
    },

    of(member) {
      const keys = believed(member)
      if (keys.length === 0) return undefined
      const met = own(member).length > 0 ? 'configured' : (counting(member)?.met ?? 'relayed')
      return { keys: distinct(keys), met }
    },
    learnt: () => Object.fromEntries(learnt),
  }
}

function readConfigured(member: string, written: RendezvousSettings['keys'][string]): PublicKey[] {
  try {
    return readKeys(written)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new FogbowError('configuration_error', `keys['${member}']: ${why}`, { cause })
  }
}

function distinct(keys: readonly PublicKey[]): PublicKey[] {
  return [...new Map(keys.map((key) => [key.kid, key])).values()]
}
