import type { MemberId, RemoteMethod } from '../contract.ts'
import type { FederationSettings } from '../settings.ts'

/** Who belongs to the federation, and who may ask whom, as configured at this moment. */
export interface Members {
  /** All but this site. */
  list(): readonly MemberId[]
  isMember(site: string): boolean
  /** Whether this site may ask that of the member. */
  mayAsk(member: MemberId, method: Asked): boolean
  /** Whether the member may ask that of this site. */
  mayCome(member: MemberId, method: Asked): boolean
}

type Asked = Pick<RemoteMethod, 'direction' | 'aboutExisting'>

export function createMembers(siteId: MemberId, settings: () => FederationSettings): Members {
  const isMember = (site: string) => site !== siteId && settings().members.includes(site)
  const isTarget = (member: MemberId) => settings().targets?.includes(member) ?? true
  const isRequester = (member: MemberId) => settings().requesters?.includes(member) ?? true
  return {
    list: () => settings().members.filter((member) => member !== siteId),
    isMember,
    // A provider reports to whoever may order there; a requester hears from where it may order.
    mayAsk: (member, { direction, aboutExisting = false }) =>
      isMember(member) &&
      (aboutExisting || (direction === 'to provider' ? isTarget(member) : isRequester(member))),
    mayCome: (member, { direction, aboutExisting = false }) =>
      isMember(member) &&
      (aboutExisting || (direction === 'to provider' ? isRequester(member) : isTarget(member))),
  }
}
