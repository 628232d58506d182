import { FogbowError } from '@fogbow/plugin-sdk'

/** Configuration as the manifest describes it. */
export interface Config {
  issuer: string
  url: string
  startTls?: boolean
  allowPlainText?: boolean
  bindDn?: string
  userDn?: string
  search?: { base: string; filter?: string; scope?: 'one' | 'sub' }
  attributes?: { id?: string; name?: string; others?: Record<string, string> }
  groups?: { memberOf?: string; base?: string; filter?: string; nested?: boolean }
  roles?: Record<string, string[]>
  everybody?: string[]
  tokenLifetimeSeconds?: number
  timeoutMs?: number
}

/** The configuration as it is used, complete. */
export interface Settings {
  issuer: string
  url: string
  startTls: boolean
  bindDn: string | undefined
  userDn: string | undefined
  search: { base: string; filter: string; scope: 'one' | 'sub' } | undefined
  attributes: { id: string; name: string; others: Record<string, string> }
  groups: {
    memberOf: string | undefined
    base: string | undefined
    filter: string
    nested: boolean
  }
  roles: Record<string, string[]>
  everybody: string[]
  tokenLifetimeSeconds: number
  timeoutMs: number
}

/** @throws configuration_error for what no schema can say */
export function toSettings(config: Config): Settings {
  const { url, startTls = false, bindDn, userDn, search, attributes = {}, groups = {} } = config
  const secure = url.startsWith('ldaps://')
  if (secure && startTls) throw wrong('startTls', 'is for ldap://; ldaps:// has TLS from the start')
  if (!secure && !startTls && config.allowPlainText !== true)
    throw wrong(
      'url',
      'would send passwords readable to everybody on the way: set startTls, or use ldaps://',
    )
  if ((userDn === undefined) === (search === undefined))
    throw wrong('userDn', 'or search says how users are found: one of them, and not both')
  return {
    issuer: config.issuer,
    url: url.replace(/\/$/, ''),
    startTls,
    bindDn,
    userDn,
    search: search && { filter: '(uid={username})', scope: 'sub', ...search },
    attributes: { id: 'uid', name: 'cn', others: {}, ...attributes },
    groups: {
      memberOf: groups.memberOf,
      base: groups.base,
      filter: groups.filter ?? '(|(member={dn})(uniqueMember={dn}))',
      nested: groups.nested ?? false,
    },
    roles: config.roles ?? {},
    everybody: config.everybody ?? [],
    tokenLifetimeSeconds: config.tokenLifetimeSeconds ?? 86_400,
    timeoutMs: config.timeoutMs ?? 4000,
  }
}

export function wrong(key: string, problem: string): FogbowError {
  return new FogbowError('configuration_error', `setting '${key}' of ldap ${problem}`)
}
