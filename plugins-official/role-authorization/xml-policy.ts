import { type PolicyChange, type Role, type Rule, wrong } from './policy.ts'
import { type Element, readXml } from './xml.ts'

/**
 * Reads the XML form of a role policy, as `<policy>` with `type`, `permissions`, `roles`, `defaultrole` and `users`.
 * An empty `type` of a permission, `permission` of a role or `roles` of a user removes it.
 * @throws configuration_error that names the element
 */
export function readXmlPolicy(source: string): PolicyChange {
  const root = readXml(source)
  if (root.name !== 'policy') throw wrong('XML', `the element is <${root.name}>, not <policy>`)
  const sections = fieldsOf(root, ['type', 'permissions', 'roles', 'defaultrole', 'users'])
  const type = textOf(sections.type)
  if (type !== 'role') throw wrong('type', `must be 'role', not '${type}'`)
  return {
    permissions: byName(
      sections.permissions,
      'permission',
      'name',
      ['type', 'operations'],
      toRules,
    ),
    roles: byName(sections.roles, 'role', 'name', ['permission'], toRole),
    users: byName(sections.users, 'user', 'userId', ['roles'], toRoleNames),
    defaultRole: textOf(sections.defaultrole),
  }
}

type Fields = Record<string, Element>

/** Lists what it refuses, and allows the rest. */
const ALLOW_ALL_EXCEPT = 'AllowAllExceptPermission'
/** Lists what it allows. */
const ALLOW_ONLY = 'AllowOnlyPermission'

function toRules(fields: Fields, where: string): Rule[] | null {
  const className = textOf(fields.type)
  if (className === '') return null
  const operations = split(fields.operations, ',')
  switch (className.slice(className.lastIndexOf('.') + 1)) {
    case ALLOW_ALL_EXCEPT:
      return [{ effect: 'allow', exceptOperations: operations }]
    case ALLOW_ONLY:
      return [{ effect: 'allow', operations }]
    default:
      throw wrong(where, `type '${className}' is neither ${ALLOW_ALL_EXCEPT} nor ${ALLOW_ONLY}`)
  }
}

function toRole(fields: Fields): Role | null {
  const permission = textOf(fields.permission)
  return permission === '' ? null : { permissions: [permission] }
}

function toRoleNames(fields: Fields): string[] | null {
  const names = split(fields.roles, ';')
  return names.length === 0 ? null : names
}

function byName<Value>(
  section: Element | undefined,
  itemName: string,
  keyName: string,
  fieldNames: string[],
  read: (fields: Fields, where: string) => Value,
): Record<string, Value> {
  const items = (section?.children ?? []).map((item) => {
    if (item.name !== itemName)
      throw wrong(section?.name ?? '', `<${item.name}> is not known there`)
    const fields = fieldsOf(item, [keyName, ...fieldNames])
    const key = textOf(fields[keyName])
    if (key === '') throw wrong(itemName, `<${keyName}> is empty`)
    return [key, read(fields, `${itemName} '${key}'`)] as const
  })
  const names = items.map(([key]) => key)
  const twice = names.find((key, index) => names.indexOf(key) !== index)
  if (twice !== undefined) throw wrong(itemName, `'${twice}' is there twice`)
  return Object.fromEntries(items)
}

/** Each of the named elements, exactly once, and no others. */
function fieldsOf(element: Element, names: readonly string[]): Fields {
  for (const name of names) {
    const count = element.children.filter((child) => child.name === name).length
    if (count !== 1) throw wrong(element.name, `<${name}> is there ${count} times, not once`)
  }
  const other = element.children.find((child) => !names.includes(child.name))
  if (other) throw wrong(element.name, `<${other.name}> is not known there`)
  return Object.fromEntries(element.children.map((child) => [child.name, child]))
}

function textOf(element: Element | undefined): string {
  return element?.text.trim() ?? ''
}

function split(element: Element | undefined, separator: string): string[] {
  return textOf(element)
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
