import { type Form, same } from './fields.ts'
import { integer, listOf, objectOf, oneOf, text } from './forms.ts'

const ruleFields = [
  same('protocol', oneOf(['TCP', 'UDP', 'ICMP', 'ANY'])),
  same('etherType', oneOf(['IPv4', 'IPv6'])),
  same('direction', oneOf(['IN', 'OUT'])),
  same('portFrom', integer, 0),
  same('portTo', integer, 0),
  same('cidr', text),
]
const UNKNOWN = -1
const counts = ['instances', 'vCPU', 'ram', 'storage', 'networks', 'publicIps', 'volumes'] as const

export const securityRule = objectOf(ruleFields)
export const securityRules = listOf(objectOf([...ruleFields, same('id', text)]))
export const summaries = listOf(objectOf([same('id', text), same('name', text, '')]))
export const image = objectOf([
  same('name', text, ''),
  same('size', integer, UNKNOWN),
  same('minDisk', integer, UNKNOWN),
  same('minRam', integer, UNKNOWN),
  same('status', text),
  same('id', text),
])

const amounts = objectOf(counts.map((name) => same(name, integer, UNKNOWN)))
const totals = objectOf([same('totalQuota', amounts), same('usedQuota', amounts)])

type Amounts = Readonly<Record<string, number>>

/** What is available follows from the other two, but is said there. */
export const quota: Form = {
  write(value) {
    const { totalQuota, usedQuota } = value as { totalQuota: Amounts; usedQuota: Amounts }
    const availableQuota = Object.fromEntries(
      counts.map((name) => [name, available(totalQuota[name], usedQuota[name])]),
    )
    return { ...(totals.write(value) as object), availableQuota: amounts.write(availableQuota) }
  },
  read: totals.read,
}

function available(total = UNKNOWN, used = 0): number {
  return total < 0 ? UNKNOWN : Math.max(total - used, UNKNOWN)
}

const SAFE_CLOUD = /^[A-Za-z0-9._-]+$/

/** Other names would not survive its parser: it is not told of those clouds. */
export const clouds: Form = {
  write: (value) => (value as string[]).filter((name) => SAFE_CLOUD.test(name)),
  read: listOf(text).read,
}
