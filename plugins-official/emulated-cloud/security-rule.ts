import { invalid, type ParentOrder, type SecurityRulePlugin } from '@fogbow/plugin-sdk'
import { parseAddress } from './addresses.ts'
import { type Cloud, notFound } from './cloud.ts'
import type { InstanceKind, RuleRecord } from './record.ts'

type Request = Parameters<SecurityRulePlugin['requestSecurityRule']>[0]

/** Rules belong to one network or public IP, and are found through it only. */
export function createSecurityRulePart(cloud: Cloud): SecurityRulePlugin {
  const parentIdOf = ({ kind, instanceId }: ParentOrder): string => {
    if (kind === 'network' || kind === 'publicIp')
      return cloud.findForUse(kind, instanceId).instanceId
    throw notFound(kind as InstanceKind, instanceId)
  }
  return {
    async requestSecurityRule(request, parent) {
      const rule = toRule(request, parentIdOf(parent))
      if (!cloud.records.rulesOf(rule.parentId).has(rule.id)) await cloud.records.addRule(rule)
      return rule.id
    },

    async getSecurityRules(parent) {
      const rules = [...cloud.records.rulesOf(parentIdOf(parent)).values()]
      return rules.map(({ parentId: _, ...rule }) => rule)
    },

    async deleteSecurityRule(ruleId, { instanceId }) {
      const rule = cloud.records.rulesOf(instanceId).get(ruleId)
      if (rule) await cloud.records.removeRule(rule)
    },
  }
}

/** The id follows from what the rule says, so that equal rules are one and the same. */
function toRule(request: Request, parentId: string): RuleRecord {
  const { protocol, direction, cidr } = request
  const { etherType = 'IPv4', portFrom = 0, portTo = portFrom } = request
  if (portFrom > portTo)
    throw invalid('securityRule.portTo', `${portTo} is less than portFrom, ${portFrom}`)
  if (!isCidr(cidr, etherType))
    throw invalid('securityRule.cidr', `'${cidr}' is no ${etherType} address range`)
  const parts = [parentId, direction, protocol, etherType, portFrom, portTo, cidr]
  const id = parts.join('.').toLowerCase().replaceAll('/', '_')
  return { id, parentId, protocol, etherType, direction, portFrom, portTo, cidr }
}

function isCidr(text: string, etherType: 'IPv4' | 'IPv6'): boolean {
  const [address = '', length = '', ...more] = text.split('/')
  const longest = etherType === 'IPv4' ? 32 : 128
  if (more.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > longest) return false
  return etherType === 'IPv4' ? parseAddress(address) !== undefined : isIpv6(address)
}

/** RFC 4291, section 2.2, by the parser of URLs. */
function isIpv6(address: string): boolean {
  return /^[0-9a-f:.]+$/i.test(address) && URL.canParse(`http://[${address}]`)
}
