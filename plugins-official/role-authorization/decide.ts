import { type FederationUser, FogbowError, type Operation, orderedKinds } from '@fogbow/plugin-sdk'
import { matchesAny } from './glob.ts'
import { type Policy, type Rule, rulesOf } from './policy.ts'

export interface DecisionSettings {
  adminRole: string
  /** Id of this site, if it is known. */
  site?: string
  /** Identity providers of other sites whose administrators are administrators here as well. */
  trustAdminsOf: readonly string[]
}

interface Question {
  user: FederationUser
  operation: Operation
  type: string
}

const adminTypes = ['CONFIGURATION', 'POLICY', 'USER', 'AUDIT', 'PLUGIN', 'STORE']
const adminOperations = new Set([
  'reload',
  'setPolicy',
  'updatePolicy',
  'purge',
  'purgeUser',
  'listAudit',
  'listPlugins',
  'restartPlugin',
  'backUp',
  ...orderedKinds.flatMap(({ actions }) => actions.map(({ operationForAll }) => operationForAll)),
])

/** @throws unauthorized, with the reason in words that the user understands */
export function assertAllowed(policy: Policy, settings: DecisionSettings, question: Question) {
  const roles = rolesOf(policy, settings, question)
  const rules = roles.flatMap((role) =>
    rulesOf(policy, role)
      .filter((rule) => covers(rule, question))
      .map((rule) => ({ role, rule })),
  )
  const denying = rules.find(({ rule }) => rule.effect === 'deny')
  if (denying) throw denied([denying.role], question)

  const isAdminWork = isAdministrative(question)
  const granting = isAdminWork
    ? rules.filter(
        ({ role, rule }) => role === settings.adminRole || namesOperation(rule, question),
      )
    : rules
  if (granting.length === 0) throw denied(roles, question, isAdminWork)
  if (isAdminWork || isOwn(question) || granting.some(({ rule }) => rule.anyOwner)) return
  throw belongsToOther(roles, question)
}

/** The administrators of one site are no administrators of another, unless that one says so. */
function rolesOf(policy: Policy, settings: DecisionSettings, { user, operation }: Question) {
  const { requester, provider } = operation
  const isFromHere = requester === provider || requester === settings.site
  const isAdminHere = isFromHere || matchesAny(settings.trustAdminsOf, user.identityProviderId)
  const known = [...new Set([...user.roles, ...listedRoles(policy, user)])]
    .filter((role) => Object.hasOwn(policy.roles, role))
    .filter((role) => role !== settings.adminRole || isAdminHere)
  return known.length > 0 ? known : [policy.defaultRole]
}

/** A user is listed as `id@identityProviderId`, or with a dot between, as in the XML form. */
function listedRoles({ users }: Policy, { id, identityProviderId }: FederationUser): string[] {
  const names = [`${id}@${identityProviderId}`, `${id}.${identityProviderId}`]
  return names.flatMap((name) => (Object.hasOwn(users, name) ? (users[name] ?? []) : []))
}

function covers(rule: Rule, { operation, type }: Question): boolean {
  return (
    matchesAny(rule.operations, operation.name) &&
    !(rule.exceptOperations && matchesAny(rule.exceptOperations, operation.name)) &&
    matchesAny(rule.types, type) &&
    matchesAny(rule.clouds, operation.cloud) &&
    matchesAny(rule.packages, operation.package) &&
    matchesAny(rule.providers, operation.provider) &&
    matchesAny(rule.requesters, operation.requester)
  )
}

function isAdministrative({ operation, type }: Question): boolean {
  return adminTypes.includes(type) || adminOperations.has(operation.name)
}

/** Work of administrators is granted to others by its full name only, never by a pattern. */
function namesOperation({ operations = [] }: Rule, { operation }: Question): boolean {
  return operations.includes(operation.name)
}

function isOwn({ user, operation: { owner } }: Question): boolean {
  return !owner || (owner.id === user.id && owner.identityProviderId === user.identityProviderId)
}

function denied(roles: readonly string[], { operation, type }: Question, isAdminWork = false) {
  const where = operation.cloud ? `cloud '${operation.cloud}'` : `provider '${operation.provider}'`
  const what = `${operation.name} ${type} in ${where}`
  const advice = isAdminWork
    ? 'that is for administrators'
    : 'ask an administrator for a role that may'
  return new FogbowError('unauthorized', `${subject(roles)} may not ${what}; ${advice}`)
}

function belongsToOther(roles: readonly string[], { operation, type }: Question) {
  return new FogbowError(
    'unauthorized',
    `${subject(roles)} may ${operation.name} only what is the user's own, and this ${type} belongs to somebody else`,
  )
}

function subject(roles: readonly string[]): string {
  const names = roles.map((role) => `'${role}'`).join(', ')
  return roles.length === 1 ? `role ${names}` : `roles ${names}`
}
