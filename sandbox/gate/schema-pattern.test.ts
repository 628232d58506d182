import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasNestedQuantifier } from './schema-pattern.ts'

test('a repeated group that repeats something is found', () => {
  for (const pattern of [
    '(a+)+',
    '(a*)*$',
    '^((a+)b)*',
    '(?:a+){2,}',
    '(a|b+)*',
    '([a-z]+)*',
    '(a{1,3}){100}',
    '(a?){50}',
    '(?<n>x*)+',
    '((a+))+',
  ]) {
    assert.equal(hasNestedQuantifier(pattern), true, pattern)
  }
})

test('patterns as vendors write them are left alone', () => {
  for (const pattern of [
    '^[a-z0-9-]+$',
    '^(\\d{1,3}\\.){3}\\d{1,3}$',
    '(a|b)+',
    'a+b*c?',
    '^(https?)://.+$',
    '\\(a+\\)+',
    '[(a+)]+',
    '(a+)?',
    '(ab){2}c+',
    '^(?=a)b+$',
  ]) {
    assert.equal(hasNestedQuantifier(pattern), false, pattern)
  }
})
