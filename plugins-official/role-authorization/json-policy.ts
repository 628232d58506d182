import { type PolicyChange, type Role, type Rule, wrong } from './policy.ts'

type Fields = Record<string, unknown>

/** Reads a policy, or a change of one, from data. @throws configuration_error that names the key */
export function readJsonPolicy(data: unknown): PolicyChange {
  const { permissions, roles, defaultRole, users } = readFields(data, 'the policy', [
    'permissions',
    'roles',
    'defaultRole',
    'users',
  ])
  return {
    ...(permissions !== undefined && {
      permissions: readNamed(permissions, 'permissions', readRules),
    }),
    ...(roles !== undefined && { roles: readNamed(roles, 'roles', readRole) }),
    ...(users !== undefined && { users: readNamed(users, 'users', readTexts) }),
    ...(defaultRole !== undefined && { defaultRole: readText(defaultRole, 'defaultRole') }),
  }
}

function readNamed<Value>(
  value: unknown,
  path: string,
  read: (value: unknown, path: string) => Value,
): Record<string, Value | null> {
  if (!isFields(value)) throw wrong(path, 'must be an object')
  const entries = Object.entries(value).map(([name, item]) => [
    name,
    item === null ? null : read(item, `${path}.${name}`),
  ])
  return Object.fromEntries(entries)
}

function readRole(value: unknown, path: string): Role {
  const { permissions, rules } = readFields(value, path, ['permissions', 'rules'])
  return {
    ...(permissions !== undefined && {
      permissions: readTexts(permissions, `${path}.permissions`),
    }),
    ...(rules !== undefined && { rules: readRules(rules, `${path}.rules`) }),
  }
}

function readRules(value: unknown, path: string): Rule[] {
  if (!Array.isArray(value)) throw wrong(path, 'must be a list of rules')
  return value.map((rule, index) => readRule(rule, `${path}[${index}]`))
}

const lists = [
  'operations',
  'exceptOperations',
  'types',
  'clouds',
  'packages',
  'providers',
  'requesters',
] as const

function readRule(value: unknown, path: string): Rule {
  const fields = readFields(value, path, ['effect', 'anyOwner', ...lists])
  const { effect, anyOwner } = fields
  if (effect !== 'allow' && effect !== 'deny')
    throw wrong(`${path}.effect`, "must be 'allow' or 'deny'")
  if (anyOwner !== undefined && typeof anyOwner !== 'boolean')
    throw wrong(`${path}.anyOwner`, 'must be true or false')
  const rule: Rule = { effect }
  if (anyOwner !== undefined) rule.anyOwner = anyOwner
  for (const list of lists) {
    if (fields[list] !== undefined) rule[list] = readTexts(fields[list], `${path}.${list}`)
  }
  return rule
}

function readFields(value: unknown, path: string, known: readonly string[]): Fields {
  if (!isFields(value)) throw wrong(path, 'must be an object')
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (unknown !== undefined)
    throw wrong(path, `'${unknown}' is not a known key; known are ${known.join(', ')}`)
  return value
}

function readTexts(value: unknown, path: string): string[] {
  if (!Array.isArray(value)) throw wrong(path, 'must be a list of texts')
  return value.map((item, index) => readText(item, `${path}[${index}]`))
}

function readText(value: unknown, path: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw wrong(path, 'must be a text that is not empty')
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
