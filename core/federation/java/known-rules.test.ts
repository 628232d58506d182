import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKnownRules } from './known-rules.ts'

const place = (orderId: string) => ({ kind: 'network', orderId })

test('a rule is remembered for the member that was told of it, in each order that has one of that id', () => {
  const rules = createKnownRules()
  rules.remember('site-a', 'r1', place('n1'))
  rules.remember('site-a', 'r1', place('n2'))
  rules.remember('site-a', 'r1', place('n1'))
  assert.deepEqual(rules.placesOf('site-a', 'r1'), [place('n1'), place('n2')])
  assert.deepEqual(rules.placesOf('site-b', 'r1'), [])
})

test('no more rules are remembered than allowed: the one heard of longest ago is forgotten', () => {
  const rules = createKnownRules(2)
  for (const id of ['r1', 'r2', 'r1', 'r3']) rules.remember('site-a', id, place('n'))
  const known = ['r1', 'r2', 'r3'].filter((id) => rules.placesOf('site-a', id).length > 0)
  assert.deepEqual(known, ['r1', 'r3'])
})
