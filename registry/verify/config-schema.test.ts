import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchemaProblem } from './config-schema.ts'

const withProperty = (schema: object) => ({ type: 'object', properties: { a: schema } })

function nested(levels: number): object {
  return levels === 0
    ? { type: 'string' }
    : { type: 'object', properties: { a: nested(levels - 1) } }
}

test('schemas that vendors write pass', () => {
  for (const schema of [
    { type: 'object' },
    {
      type: 'object',
      additionalProperties: false,
      properties: { pattern: { type: 'string' }, $ref: { type: 'string' } },
    },
    withProperty({ type: 'string', pattern: '^(\\d{1,3}\\.){3}\\d{1,3}$', format: 'uri' }),
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: { port: { type: 'integer', maximum: 65535 } },
      properties: { a: { $ref: '#/$defs/port' } },
    },
    nested(10),
  ]) {
    assert.equal(configSchemaProblem(schema), undefined)
  }
})

const refusals: [string, object, string, RegExp][] = [
  ['no type', { properties: {} }, 'type', /must be 'object'/],
  [
    'a remote reference',
    withProperty({ $ref: 'https://a.b/c.json' }),
    'properties.a.$ref',
    /points outside/,
  ],
  ['an identity', { type: 'object', $id: 'https://a.b/c' }, '$id', /not allowed/],
  [
    'another dialect',
    { type: 'object', $schema: 'http://json-schema.org/draft-04/schema' },
    '$schema',
    /must be/,
  ],
  [
    'a long pattern',
    withProperty({ type: 'string', pattern: 'a'.repeat(257) }),
    'properties.a.pattern',
    /longer than 256/,
  ],
  [
    'a pattern that explodes',
    withProperty({ type: 'string', pattern: '^(a+)+$' }),
    'properties.a.pattern',
    /for ever/,
  ],
  [
    'a property pattern that explodes',
    { type: 'object', patternProperties: { '(a*)*': {} } },
    'patternProperties',
    /for ever/,
  ],
  [
    'a pattern that is none',
    withProperty({ type: 'string', pattern: '(' }),
    '',
    /no usable JSON Schema/,
  ],
  ['a keyword that is none', withProperty({ typ: 'string' }), '', /unknown keyword/],
  ['a type that is none', withProperty({ type: 'text' }), '', /no usable JSON Schema/],
  ['a broken reference', withProperty({ $ref: '#/$defs/gone' }), '', /no usable JSON Schema/],
  ['a long text', { type: 'object', description: 'x'.repeat(70_000) }, '', /longer than 65536/],
]

for (const [what, schema, key, message] of refusals) {
  test(`a schema with ${what} is refused by key`, () => {
    const problem = configSchemaProblem(schema)
    assert.equal(problem?.key, key)
    assert.match(problem?.message ?? '', message)
  })
}

test('a schema nested without end is refused before it is compiled', () => {
  assert.match(configSchemaProblem(nested(100))?.message ?? '', /nested deeper than 32 levels/)
})
