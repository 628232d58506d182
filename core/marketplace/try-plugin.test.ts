import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { standInPlugin } from '../plugins/testing/stand-in-plugins.ts'
import { tryPlugin } from './try-plugin.ts'

const crash = () => {
  throw new FogbowError('plugin_failure', 'is not a function')
}
const refuse = () => {
  throw new FogbowError('unauthenticated', 'no such token')
}

test('a version that answers or refuses passes', async () => {
  const plugin = standInPlugin('cloud', {
    'image.getAllImages': () => [],
    'quota.getUserQuota': refuse,
    'health.check': () => {},
  })
  await tryPlugin(plugin, undefined)
  assert.deepEqual(plugin.calls.map(({ method }) => method).toSorted(), [
    'health.check',
    'image.getAllImages',
    'quota.getUserQuota',
  ])
})

test('a version whose own check fails says what has to be set right, and is asked nothing else', async () => {
  const plugin = standInPlugin('cloud', {
    'image.getAllImages': () => [],
    'health.check': () => {
      throw new FogbowError('configuration_error', 'config.url: nobody answers there')
    },
  })
  await assert.rejects(tryPlugin(plugin, undefined), {
    code: 'configuration_error',
    message: "@stand-in/cloud 1.0.0 cannot work as 'cloud': config.url: nobody answers there",
  })
  assert.equal(plugin.calls.length, 1)
})

test('a version that crashes where the present one does not is refused', async () => {
  const next = standInPlugin('cloud', { 'image.getAllImages': crash })
  for (const before of [undefined, standInPlugin('cloud', { 'image.getAllImages': refuse })])
    await assert.rejects(tryPlugin(next, before), /failed its trial at image\.getAllImages/)
})

test('what the present version fails at as well says nothing against the new one', async () => {
  const next = standInPlugin('cloud', { 'image.getAllImages': crash })
  await tryPlugin(next, standInPlugin('cloud', { 'image.getAllImages': crash }))
  assert.equal(next.calls.length, 1)
})
