import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createExpiringCache } from './expiring-cache.ts'

test('an entry ends at its time, and one that is over is never kept', () => {
  let time = 0
  const cache = createExpiringCache<string>(10, () => time)
  cache.set('a', 'value', 100)
  cache.set('over', 'value', 0)
  assert.equal(cache.get('over'), undefined)
  time = 99
  assert.equal(cache.get('a'), 'value')
  time = 100
  assert.equal(cache.get('a'), undefined)
})

test('when it is full the oldest entry goes', () => {
  const cache = createExpiringCache<number>(2, () => 0)
  for (const [value, key] of ['a', 'b', 'c'].entries()) cache.set(key, value, 1)
  assert.equal(cache.get('a'), undefined)
  assert.equal(cache.get('c'), 2)
})

test('entries can be taken out one by one or all together', () => {
  const cache = createExpiringCache<number>(5, () => 0)
  cache.set('a', 1, 1)
  cache.set('b', 2, 1)
  cache.delete('a')
  assert.equal(cache.get('a'), undefined)
  cache.clear()
  assert.equal(cache.get('b'), undefined)
})
