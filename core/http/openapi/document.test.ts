import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { routes } from '../routes/index.ts'
import type { Route } from '../routes/route.ts'
import { startTestEdge } from '../testing/test-edge.ts'
import { createOpenApiDocument } from './document.ts'
import { exampleOf, exampleRequestOf } from './example.ts'

const document = createOpenApiDocument(routes, { id: 'site-a', version: '0.1.0' })

const ajv = new Ajv2020({ strict: false, validateFormats: false })
ajv.addSchema({ $id: 'openapi', ...document })

/** Says what is wrong with a body, or nothing. */
function violations(route: Route, part: string, body: unknown): string {
  const method = route.method.toLowerCase()
  const pointer = [route.path, method, ...part.split(' '), 'content', 'application/json', 'schema']
    .map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/')
  const validate = ajv.getSchema(`openapi#/paths/${pointer}`)
  assert.ok(validate, `no schema at ${pointer}`)
  return validate(body) ? '' : ajv.errorsText(validate.errors)
}

test('the document is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate(JSON.parse(JSON.stringify(document)))
  assert.equal(result.valid, true, JSON.stringify(result.errors, null, 1))
})

test('operation ids are unique', () => {
  assert.equal(new Set(routes.map(({ id }) => id)).size, routes.length)
})

test('two schemas with one title do not differ', () => {
  const seen = new Map<string, string>()
  for (const route of routes) {
    for (const schema of [route.request, route.response]) collectTitles(schema, seen)
  }
  assert.ok(seen.size > 10)
})

function collectTitles(schema: unknown, seen: Map<string, string>): void {
  if (typeof schema !== 'object' || schema === null) return
  if ('title' in schema && typeof schema.title === 'string') {
    const text = JSON.stringify(schema)
    assert.equal(seen.get(schema.title) ?? text, text, schema.title)
    seen.set(schema.title, text)
  }
  for (const part of Object.values(schema)) collectTitles(part, seen)
}

test('every example fits its schema', () => {
  for (const route of routes) {
    if (route.request)
      assert.equal(violations(route, 'requestBody', exampleRequestOf(route.request)), '')
    if (route.response) {
      const part = `responses ${route.status}`
      assert.equal(violations(route, part, exampleOf(route.response)), '', route.id)
    }
  }
})

test('every declared route answers as the document says', async (t) => {
  const edge = await startTestEdge(t)
  for (const route of routes) {
    const path = route.path.replace(/\{\w+\}/g, 'x-1')
    const response = await edge.fetch(path, {
      method: route.method,
      headers: {
        ...(route.needsToken && { 'Fogbow-User-Token': 'secret-token' }),
        ...(route.request && { 'Content-Type': 'application/json' }),
      },
      ...(route.request && { body: JSON.stringify(exampleRequestOf(route.request)) }),
    })
    const text = await response.text()
    assert.equal(response.status, route.status, `${route.method} ${path}: ${text}`)
    if (route.response) {
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
      assert.equal(violations(route, `responses ${route.status}`, JSON.parse(text)), '', route.id)
    } else {
      assert.equal(text, '', route.id)
      assert.equal(response.headers.get('content-type'), null, route.id)
    }
  }
})

test('the document is served', async (t) => {
  const edge = await startTestEdge(t)
  const served = (await (await edge.fetch('/openapi.json')).json()) as { paths: object }
  assert.deepEqual(Object.keys(served.paths), Object.keys(document.paths))
})
