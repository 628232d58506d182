import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { manifestSchema, type Schema } from '@fogbow/plugin-sdk'
import { validatorFor } from '@fogbow/plugin-sdk/validate'
import { defaultConfig, withDefaults } from './config.ts'

const { fogbow: manifest } = JSON.parse(
  await readFile(new URL('./package.json', import.meta.url), 'utf8'),
)

test('the defaults are valid against the schema of the manifest', () => {
  assert.equal(validatorFor(manifestSchema)(manifest), undefined)
  assert.equal(validatorFor(manifest.config as Schema)(withDefaults({})), undefined)
})

test('the manifest tells the defaults that the code has', () => {
  const { properties } = manifest.config
  for (const key of ['quota', 'defaultNetwork', 'delaysMs'] as const) {
    const told = Object.entries<{ default: unknown }>(properties[key].properties)
    const defaults = Object.fromEntries(told.map(([name, property]) => [name, property.default]))
    assert.deepEqual(defaults, defaultConfig[key])
  }
  assert.equal(properties.publicCidr.default, defaultConfig.publicCidr)
})

test('a part that is configured leaves the defaults of the other parts', () => {
  const { quota, delaysMs } = withDefaults({ quota: { volumes: 1 }, delaysMs: { call: 5 } })
  assert.deepEqual(quota, { ...defaultConfig.quota, volumes: 1 })
  assert.deepEqual(delaysMs, { create: 0, delete: 0, action: 0, call: 5 })
})
