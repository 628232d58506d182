import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Schema } from '@fogbow/plugin-sdk'
import { completerFor } from '@fogbow/plugin-sdk/validate'
import { placementProblem, placementSchema } from './placement-schema.ts'

const site = {
  site: { id: 'site-a' },
  plugins: { firstFit: {} },
  members: { list: ['site-b'] },
  placement: { default: 'local' },
} as const

test('orders that name no provider stay at home unless it is configured otherwise', () => {
  const schema = { type: 'object', properties: { placement: placementSchema } } as Schema
  const written = {}
  assert.equal(completerFor(schema)(written), undefined)
  assert.deepEqual(written, { placement: { default: 'local' } })
  assert.equal(placementProblem(site), undefined)
  assert.equal(
    placementProblem({ ...site, placement: { plugin: 'firstFit', default: 'any' } }),
    undefined,
  )
})

test('any site by default takes a plugin that ranks them', () => {
  const problem = placementProblem({ ...site, placement: { default: 'any' } })
  assert.equal(problem?.key, 'placement.default')
})

test('a plugin that is not configured is named, with those that are', () => {
  const problem = placementProblem({ ...site, placement: { plugin: 'other', default: 'local' } })
  assert.deepEqual(problem, {
    key: 'placement.plugin',
    message: "no plugin is named 'other'; plugins are firstFit",
  })
})

test('no site can have the name that stands for all', () => {
  assert.equal(placementProblem({ ...site, site: { id: 'any' } })?.key, 'site.id')
  assert.equal(placementProblem({ ...site, members: { list: ['any'] } })?.key, 'members.list')
})
