import { invalid, type ParentOrder, type SecurityRulePlugin } from '@fogbow/plugin-sdk'
import type { Cloud } from '../api/cloud.ts'
import type { Fields } from '../api/fields.ts'
import { type Parts, query, segment } from '../parts.ts'
import { findGroup, getGroup } from './security-group.ts'

type Rule = Parameters<SecurityRulePlugin['requestSecurityRule']>[0]
type StoredRule = Awaited<ReturnType<SecurityRulePlugin['getSecurityRules']>>[number]

const LAST_PORT = 65_535

/** Rules of the security group that a network or public address has. */
export function createSecurityRulePart({ open, once }: Parts): SecurityRulePlugin {
  return {
    async requestSecurityRule(rule, parent, token, call) {
      assertConsistent(rule)
      const cloud = await open(token, call)
      const group = await getGroup(cloud, parent.instanceId)
      const wanted = toNeutron(rule)
      const find = async () => (await rulesOf(cloud, group)).find((each) => isEqual(each, wanted))
      const create = async () => {
        const body = { security_group_rule: { ...wanted, security_group_id: group } }
        const answer = await cloud.post('network', '/security-group-rules', body)
        return answer.object('security_group_rule')
      }
      const key = `rule/${group}/${Object.values(wanted).join('/')}`
      return (await once.make(key, find, create)).text('id')
    },

    async getSecurityRules(parent, token, call) {
      const cloud = await open(token, call)
      const rules = await rulesOf(cloud, await getGroup(cloud, parent.instanceId))
      return rules
        .filter((rule) => rule.maybeText('remote_group_id') === undefined)
        .map(fromNeutron)
    },

    async deleteSecurityRule(ruleId, parent: ParentOrder, token, call) {
      const cloud = await open(token, call)
      const group = await findGroup(cloud, parent.instanceId)
      if (group === undefined) return
      const rules = await rulesOf(cloud, group)
      if (rules.some((rule) => rule.text('id') === ruleId))
        await cloud.delete('network', `/security-group-rules/${segment(ruleId)}`)
    },
  }
}

function assertConsistent({ portFrom = 0, portTo = 0 }: Rule): void {
  if (portFrom > portTo)
    throw invalid('securityRule.portTo', `${portTo} is less than portFrom, ${portFrom}`)
}

function rulesOf(cloud: Cloud, group: string): Promise<Fields[]> {
  const filter = query({ security_group_id: group })
  return cloud.list('network', `/security-group-rules${filter}`, 'security_group_rules')
}

/** Ports 0 to 0, and 0 to 65535, are all ports, which Neutron says by naming none. */
function toNeutron(rule: Rule): Record<string, string | number> {
  const { protocol, direction, cidr, etherType = 'IPv4', portFrom = 0, portTo = 0 } = rule
  const isAll = portFrom === 0 && (portTo === 0 || portTo === LAST_PORT)
  const hasPorts = protocol === 'TCP' || protocol === 'UDP'
  return {
    direction: direction === 'IN' ? 'ingress' : 'egress',
    ethertype: etherType,
    remote_ip_prefix: cidr,
    ...(protocol !== 'ANY' && { protocol: protocol.toLowerCase() }),
    ...(hasPorts && !isAll && { port_range_min: Math.max(1, portFrom), port_range_max: portTo }),
  }
}

const compared = [
  'direction',
  'ethertype',
  'remote_ip_prefix',
  'protocol',
  'port_range_min',
  'port_range_max',
]

function isEqual(rule: Fields, wanted: Record<string, string | number>): boolean {
  const has: Record<string, string | undefined> = rule.entries()
  return compared.every((key) => (has[key] ?? '') === String(wanted[key] ?? ''))
}

function fromNeutron(rule: Fields): StoredRule {
  const { port_range_min, port_range_max } = rule.entries()
  const etherType = rule.text('ethertype') === 'IPv6' ? 'IPv6' : 'IPv4'
  return {
    id: rule.text('id'),
    protocol: protocolOf(rule.maybeText('protocol')),
    etherType,
    direction: rule.text('direction') === 'ingress' ? 'IN' : 'OUT',
    portFrom: Number(port_range_min ?? 0),
    portTo: Number(port_range_max ?? 0),
    cidr: rule.maybeText('remote_ip_prefix') ?? (etherType === 'IPv6' ? '::/0' : '0.0.0.0/0'),
  }
}

/** What others than this plugin wrote may name protocols by number (IANA, Protocol Numbers). */
function protocolOf(name = ''): StoredRule['protocol'] {
  if (name === 'tcp' || name === '6') return 'TCP'
  if (name === 'udp' || name === '17') return 'UDP'
  return ['icmp', 'icmpv6', 'ipv6-icmp', '1', '58'].includes(name) ? 'ICMP' : 'ANY'
}
