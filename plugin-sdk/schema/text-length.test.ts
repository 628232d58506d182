import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schema } from './json-schema.ts'
import { validatorFor } from './validate.ts'

const atMostFour = validatorFor(schema({ type: 'string', maxLength: 4 }))
const atLeastFour = validatorFor(schema({ type: 'string', minLength: 4 }))

test('a length is counted in characters, not in code units', () => {
  assert.equal(atMostFour('😀😀😀😀'), undefined)
  assert.equal(atLeastFour('😀😀😀😀'), undefined)
  assert.deepEqual(atLeastFour('😀😀'), {
    field: '',
    message: 'must NOT have fewer than 4 characters',
  })
})

test('a text at the limit is right and one beyond it is not', () => {
  assert.equal(atMostFour('abcd'), undefined)
  assert.deepEqual(atMostFour('abcde'), {
    field: '',
    message: 'must NOT have more than 4 characters',
  })
  assert.deepEqual(atMostFour('😀😀😀😀😀'), {
    field: '',
    message: 'must NOT have more than 4 characters',
  })
  assert.equal(atLeastFour('abcd'), undefined)
  assert.notEqual(atLeastFour('abc'), undefined)
  assert.notEqual(atLeastFour(''), undefined)
})
