import assert from 'node:assert/strict'
import { test } from 'node:test'
import { absentPlugin } from './absent-plugin.ts'

const plugin = absentPlugin('cloud', '@vendor/cloud', {
  code: 'configuration_error',
  message: 'plugins.cloud.config.url is required',
})

test('whoever needs a plugin that could not be loaded is told why', async () => {
  const expected = {
    code: 'unavailable_provider',
    message: "Plugin 'cloud' could not be loaded: plugins.cloud.config.url is required",
  }
  await assert.rejects(plugin.call('compute.getInstance', []), expected)
  await assert.rejects(plugin.restart(), expected)
})

test('it shows itself as out of service with the reason, and offers nothing', async () => {
  assert.equal(plugin.health().state, 'quarantined')
  assert.match(plugin.health().reason?.message ?? '', /url is required/)
  assert.equal(plugin.offered.size, 0)
  await plugin.stop()
})
