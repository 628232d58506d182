import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createVendorSchemas } from './vendor-schema.ts'

const schemas = createVendorSchemas()
after(() => schemas.close())

/** Limits are met at once, and the thread does not outlive its test. */
function impatient(t: { after(end: () => Promise<void>): void }, timeoutMs = 400) {
  const own = createVendorSchemas({ timeoutMs, heapMiB: 48 })
  t.after(() => own.close())
  return own
}

const withProperty = (schema: object) => ({ type: 'object', properties: { a: schema } })

function nested(levels: number): object {
  return levels === 0
    ? { type: 'string' }
    : { type: 'object', properties: { a: nested(levels - 1) } }
}

/** Each alternative leads to both of the next: one more level doubles the work. */
function exponential(levels: number): object {
  const $defs: Record<string, object> = { d0: { type: 'boolean' } }
  for (let level = 1; level <= levels; level++) {
    const next = { $ref: `#/$defs/d${level - 1}` }
    $defs[`d${level}`] = { anyOf: [next, { allOf: [next] }] }
  }
  return { type: 'object', properties: { a: { $ref: `#/$defs/d${levels}` } }, $defs }
}

/** Every default holds two of the next. */
function growing(levels: number): object {
  const $defs: Record<string, object> = { d0: { type: 'object' } }
  for (let level = 1; level <= levels; level++) {
    const next = { default: {}, $ref: `#/$defs/d${level - 1}` }
    const holder = { type: 'object', properties: { x: { default: {} }, y: { default: {} } } }
    const inner = { properties: { x: { $ref: next.$ref }, y: { $ref: next.$ref } } }
    $defs[`d${level}`] = { type: 'object', allOf: [holder, { type: 'object', ...inner }] }
  }
  return { type: 'object', properties: { a: { $ref: `#/$defs/d${levels}` } }, $defs }
}

test('schemas that vendors write pass', async () => {
  for (const schema of [
    { type: 'object' },
    {
      type: 'object',
      additionalProperties: false,
      properties: { pattern: { type: 'string' }, $ref: { type: 'string' }, $id: true },
    },
    withProperty({ type: 'string', pattern: '^(\\d{1,3}\\.){3}\\d{1,3}$', format: 'uri' }),
    withProperty({ type: 'object', default: { $id: 'x', pattern: '(a+)+' } }),
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: { port: { type: 'integer', maximum: 65535 } },
      properties: { a: { $ref: '#/$defs/port' } },
    },
    nested(10),
  ]) {
    assert.equal(await schemas.check(schema), undefined)
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
  ['a reference by name', withProperty({ $ref: '#name' }), 'properties.a.$ref', /only '#\/…'/],
  ['an identity', { type: 'object', $id: 'https://a.b/c' }, '$id', /is no keyword/],
  [
    'a dynamic reference',
    withProperty({ $dynamicRef: '#a' }),
    'properties.a.$dynamicRef',
    /is no keyword/,
  ],
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
    'a pattern that refers back',
    withProperty({ type: 'string', pattern: '^(a|b)\\1$' }),
    'properties.a.pattern',
    /refers back/,
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
  ['a keyword that is none', withProperty({ typ: 'string' }), 'properties.a.typ', /is no keyword/],
  ['a type that is none', withProperty({ type: 'text' }), '', /no usable JSON Schema/],
  ['a format that is none', withProperty({ type: 'string', format: 'x' }), '', /unknown format/],
  ['a broken reference', withProperty({ $ref: '#/$defs/gone' }), '', /no usable JSON Schema/],
  ['a long text', { type: 'object', description: 'x'.repeat(70_000) }, '', /longer than 65536/],
  ['a deep nest', nested(100), /^(properties\.a\.?){16}/.source, /deeper than 32 levels/],
  [
    'a name that reaches the prototype',
    JSON.parse('{"type":"object","properties":{"a":{"default":{"__proto__":{"b":1}}}}}'),
    'properties.a.default.__proto__',
    /not an allowed name/,
  ],
  [
    'many alternatives',
    withProperty({ anyOf: Array(65).fill({ type: 'string' }) }),
    'properties.a.anyOf',
    /more than 64/,
  ],
  [
    'many subschemas',
    {
      type: 'object',
      allOf: Array(60).fill({ allOf: Array(30).fill({ type: 'object' }) }),
    },
    'allOf[32].allOf[6]',
    /more than 1000 subschemas/,
  ],
  [
    'defaults of itself without end',
    withProperty({ default: {}, $ref: '#' }),
    '',
    /cannot be applied: Maximum call stack/,
  ],
]

for (const [what, schema, key, message] of refusals) {
  test(`a schema with ${what} is refused by key`, async () => {
    const problem = await schemas.check(schema)
    assert.match(problem?.message ?? '', message)
    if (key.startsWith('^')) assert.match(problem?.key ?? '', new RegExp(key))
    else assert.equal(problem?.key, key)
  })
}

test('a schema nested without end, or around itself, is refused before anything is done with it', async () => {
  const around: Record<string, unknown> = { type: 'object' }
  around.properties = around
  const deep = `${'{"type":"object","not":'.repeat(50_000)}{}${'}'.repeat(50_000)}`
  for (const schema of [JSON.parse(deep), around])
    assert.match((await schemas.check(schema))?.message ?? '', /nested|longer/)
})

test('settings are completed with defaults and left as they were', async () => {
  const schema = withProperty({ type: 'string', default: 'x' })
  const settings = {}
  assert.deepEqual(await schemas.complete(schema, settings), { settings: { a: 'x' } })
  assert.deepEqual(settings, {})
})

test('settings that the schema refuses are told by key', async () => {
  const schema = withProperty({ type: 'object', properties: { b: { type: 'integer' } } })
  assert.deepEqual(await schemas.complete(schema, { a: { b: 'x' } }), {
    settingsProblem: { key: 'a.b', message: 'must be integer' },
  })
})

test('settings with a name that reaches the prototype are refused by key', async () => {
  const settings = JSON.parse('{"a":[{"__proto__":{"b":1}}]}')
  assert.deepEqual(await schemas.complete({ type: 'object' }, settings), {
    settingsProblem: { key: 'a[0].__proto__', message: 'is not an allowed name' },
  })
})

test('a pattern that takes for ever is ended at the limit and told by key, and the next check is served', async (t) => {
  const own = impatient(t)
  const slow = withProperty({ type: 'string', pattern: '^(a|a)*(a|a)*(a|a)*(a|a)*(a|a)*$' })
  const turns = setInterval(() => beats++, 10)
  t.after(() => clearInterval(turns))
  let beats = 0
  const text = `${'a'.repeat(5000)}!`
  const settings = { b: 1, a: text }
  assert.deepEqual(await own.complete(slow, settings), {
    settingsProblem: { key: 'a', message: 'takes more than 400 ms to check' },
  })
  assert.ok(beats > 10, `the site went on meanwhile (${beats} turns)`)
  assert.deepEqual(await own.complete(withProperty({}), { a: 1 }), { settings: { a: 1 } })
})

test('alternatives that double at each level are ended at the limit', async (t) => {
  const { settingsProblem } = (await impatient(t).complete(exponential(40), { a: 'x' })) as {
    settingsProblem: { key: string; message: string }
  }
  assert.equal(settingsProblem.key, 'a')
  assert.match(settingsProblem.message, /takes more than (400 ms|48 MiB)/)
})

test('defaults that double at each level are ended at the limit of time or memory', async (t) => {
  const { settingsProblem } = (await impatient(t, 5000).complete(growing(30), { a: {} })) as {
    settingsProblem: { key: string; message: string }
  }
  assert.match(settingsProblem.message, /takes more than (5000 ms|48 MiB)/)
})

test('checks that come together are served in turn', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, at) => schemas.complete(withProperty({ const: at }), { a: at })),
  )
  assert.deepEqual(
    answers.map((answer) => 'settings' in answer && answer.settings.a),
    Array.from({ length: 20 }, (_, at) => at),
  )
})
