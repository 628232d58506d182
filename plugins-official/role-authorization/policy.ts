import { FogbowError } from '@fogbow/plugin-sdk'

/** Says yes or no to operations that match all of its lists; a list that is absent matches everything. */
export interface Rule {
  effect: 'allow' | 'deny'
  /** Names such as `create`, with `*` for any part. */
  operations?: string[]
  /** Operations that the rule says nothing about, although `operations` would match. */
  exceptOperations?: string[]
  /** Resource types such as `COMPUTE`. */
  types?: string[]
  clouds?: string[]
  /** Packages of plugins, such as `@vendor/*`. */
  packages?: string[]
  providers?: string[]
  requesters?: string[]
  /** Also for orders of other users. */
  anyOwner?: boolean
}

export interface Role {
  /** Names of permissions, whose rules are those of the role. */
  permissions?: string[]
  rules?: Rule[]
}

export interface Policy {
  /** Rules to be shared by roles, by name. */
  permissions: Record<string, Rule[]>
  roles: Record<string, Role>
  /** Role of users who have none of `roles`. */
  defaultRole: string
  /** Roles of users beside those that their token names; a user is `id@identityProviderId`. */
  users: Record<string, string[]>
}

/** What a policy text says: `null` removes what is there under that name. */
export interface PolicyChange {
  permissions?: Record<string, Rule[] | null>
  roles?: Record<string, Role | null>
  defaultRole?: string
  users?: Record<string, string[] | null>
}

/** Everybody may do everything with what is his; the administrator also with what belongs to others. */
export const defaultPolicy: Policy = {
  permissions: {},
  roles: {
    user: { rules: [{ effect: 'allow' }] },
    admin: { rules: [{ effect: 'allow', anyOwner: true }] },
  },
  defaultRole: 'user',
  users: {},
}

export const emptyPolicy: Policy = { permissions: {}, roles: {}, defaultRole: '', users: {} }

export function merge(policy: Policy, change: PolicyChange): Policy {
  return {
    permissions: mergeNamed(policy.permissions, change.permissions),
    roles: mergeNamed(policy.roles, change.roles),
    users: mergeNamed(policy.users, change.users),
    defaultRole: change.defaultRole ?? policy.defaultRole,
  }
}

function mergeNamed<Value>(
  present: Record<string, Value>,
  change: Record<string, Value | null> = {},
): Record<string, Value> {
  const merged = Object.entries({ ...present, ...change })
  return Object.fromEntries(merged.filter((entry): entry is [string, Value] => entry[1] !== null))
}

export function rulesOf(policy: Policy, roleName: string): Rule[] {
  const role = Object.hasOwn(policy.roles, roleName) ? policy.roles[roleName] : undefined
  const shared = (role?.permissions ?? []).flatMap((name) => policy.permissions[name] ?? [])
  return [...shared, ...(role?.rules ?? [])]
}

/** @throws configuration_error when names do not fit together */
export function assertConsistent(policy: Policy, adminRole: string): void {
  const { permissions, roles, defaultRole, users } = policy
  const mustExist = (names: readonly string[], known: object, where: string) => {
    const missing = names.find((name) => !Object.hasOwn(known, name))
    if (missing !== undefined) throw wrong(where, `there is no '${missing}'`)
  }
  for (const [name, role] of Object.entries(roles))
    mustExist(role.permissions ?? [], permissions, `roles.${name}.permissions`)
  for (const [user, names] of Object.entries(users)) mustExist(names, roles, `users.${user}`)
  mustExist([defaultRole], roles, 'defaultRole')
  mustExist([adminRole], roles, 'roles')
}

export function wrong(where: string, problem: string): FogbowError {
  return new FogbowError('configuration_error', `policy: ${where}: ${problem}`)
}
