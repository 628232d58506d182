import assert from 'node:assert/strict'
import type { OrderedKind } from '../../resources/define-resource.ts'
import { orderedKind, resources } from '../../resources/index.ts'
import type { ConformanceCase } from '../conformance.ts'
import { inScope, type Order, obstacle } from '../scope.ts'
import { casesOf, type Trial } from '../trial.ts'

interface Rule {
  protocol: string
  etherType: string
  direction: string
  portFrom: number
  portTo: number
  cidr: string
}
type StoredRule = Rule & { id: string }

const ssh: Rule = {
  protocol: 'TCP',
  etherType: 'IPv4',
  direction: 'IN',
  portFrom: 22,
  portTo: 22,
  cidr: '192.0.2.0/24',
}

/** Rules live in a network or a public IP: the same cases for each that the plugin offers. */
export function securityRuleCases(trial: Trial): ConformanceCase[] {
  const parents = resources.securityRule.parents.flatMap((name) => orderedKind(name) ?? [])
  const offered = parents.filter(({ name }) => trial.offers(`${name}.requestInstance`))
  if (offered.length > 0) return offered.flatMap((parent) => casesIn(parent, trial))
  const why = `the plugin offers neither of ${parents.map(({ name }) => name).join(', ')}`
  return [casesOf('securityRule')('rules can be added, listed and removed', async () => {}, why)]
}

function casesIn(parent: OrderedKind, trial: Trial): ConformanceCase[] {
  const rules = rulesOf(parent, trial)
  const test = (name: string, run: (mine: Order, other: () => Promise<Order>) => Promise<void>) =>
    casesOf('securityRule')(
      `${name} (${parent.name})`,
      () =>
        inScope(trial, async (scope) => run(await scope.ready(parent), () => scope.ready(parent))),
      obstacle(trial, parent),
    )
  return [
    test('nothing is open to the world from the start', async (mine) => {
      const open = (await rules.list(mine)).filter(
        ({ direction, cidr }) => direction === 'IN' && cidr.endsWith('/0'),
      )
      assert.deepEqual(open, [], 'a rule lets the whole world in before anybody asked for it')
    }),
    test('a rule that was added is listed as it was asked for', async (mine) => {
      const id = await rules.add(ssh, mine)
      const found = (await rules.list(mine)).find((rule) => rule.id === id)
      assert.deepEqual(found, { ...ssh, id })
    }),
    test('an equal rule is answered, not added twice', async (mine) => {
      const ids = [await rules.add(ssh, mine), await rules.add(ssh, mine)]
      ids.push(...(await Promise.all([rules.add(ssh, mine), rules.add(ssh, mine)])))
      assert.equal(new Set(ids).size, 1, `one rule got the ids ${[...new Set(ids)].join(', ')}`)
      const listed = (await rules.list(mine)).filter(({ id }) => ids.includes(id))
      assert.equal(listed.length, 1, `it is listed ${listed.length} times`)
    }),
    test('a rule is listed where it was added and nowhere else', async (mine, other) => {
      const id = await rules.add(ssh, mine)
      const elsewhere = await rules.list(await other())
      assert.ok(!elsewhere.some((rule) => rule.id === id), 'it is listed elsewhere as well')
    }),
    test('a rule cannot be removed through another network or public IP', async (mine, other) => {
      const id = await rules.add(ssh, mine)
      await rules.remove(id, await other()).catch(() => undefined)
      assert.ok(
        (await rules.list(mine)).some((rule) => rule.id === id),
        'it was removed',
      )
    }),
    test('a rule that was removed is gone, and removing it again succeeds', async (mine) => {
      const id = await rules.add(ssh, mine)
      await rules.remove(id, mine)
      assert.ok(!(await rules.list(mine)).some((rule) => rule.id === id), 'it is still listed')
      await rules.remove(id, mine)
      await rules.remove(`no-such-${crypto.randomUUID()}`, mine)
    }),
    test('a rule that contradicts itself is refused', async (mine) => {
      const before = await rules.list(mine)
      const wrong = [
        { ...ssh, portFrom: 23, portTo: 22 },
        { ...ssh, cidr: 'everywhere' },
      ]
      for (const rule of wrong)
        await trial.refused(JSON.stringify(rule), rules.add(rule, mine), [
          'invalid_parameter',
          'unacceptable_operation',
        ])
      assert.deepEqual(await rules.list(mine), before, 'a refused rule was added')
    }),
    test('rules of something unknown cannot be added', async (mine) => {
      const unknown = { ...mine, instanceId: `no-such-${crypto.randomUUID()}` }
      await trial.refused('an unknown parent', rules.add(ssh, unknown), ['instance_not_found'])
    }),
  ]
}

function rulesOf(parent: OrderedKind, trial: Trial) {
  const parentOf = ({ orderId, instanceId }: Order) => ({ kind: parent.name, orderId, instanceId })
  return {
    add: (rule: Rule, order: Order) =>
      trial.call<string>(
        'securityRule.requestSecurityRule',
        rule,
        parentOf(order),
        trial.localToken,
      ),
    list: (order: Order) =>
      trial.call<StoredRule[]>('securityRule.getSecurityRules', parentOf(order), trial.localToken),
    remove: (id: string, order: Order) =>
      trial.call('securityRule.deleteSecurityRule', id, parentOf(order), trial.localToken),
  }
}
