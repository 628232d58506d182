import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { AaaPipeline } from '../aaa/index.ts'
import type { SiteConfig } from '../config/index.ts'
import type { Order } from '../orders/index.ts'
import { type Methods, standInPlugin, standInPlugins } from '../plugins/testing/stand-in-plugins.ts'
import { createLocalClouds } from './local.ts'

const owner = { id: 'ana', identityProviderId: 'site-a', name: 'Ana', roles: ['user'] }
const order = {
  id: 'order-1',
  kind: 'attachment',
  cloudName: 'one',
  name: 'disk',
  owner,
  instanceId: null,
  request: { computeId: 'order-2', volumeId: 'order-3', device: '/dev/sdb' },
} as unknown as Order

function clouds(methods: Methods, names: Record<string, unknown> = {}) {
  const plugin = standInPlugin('cloud', methods)
  const other = standInPlugin('other', { 'image.getAllImages': () => [] })
  const mapped: string[] = []
  const aaa = {
    localToken: async (_user: unknown, cloud: string) => {
      mapped.push(cloud)
      return { login: mapped.length }
    },
    forgetLocalToken: () => mapped.push('forgotten'),
  } as unknown as AaaPipeline
  const config = {
    clouds: { one: { plugin: 'cloud', mapper: 'm', kinds: { image: 'other' } }, ...names },
  } as unknown as SiteConfig
  const instanceIds: Record<string, string> = { 'order-2': 'vm-2' }
  const local = createLocalClouds({
    config: () => config,
    plugins: standInPlugins(plugin, other),
    aaa,
    instanceIdOf: async (id) => instanceIds[id],
  })
  return { local, plugin, other, mapped }
}

test('a plugin meets the instances of referenced orders, the owner, and a credential for the cloud', async () => {
  const { local, plugin } = clouds({ 'attachment.requestInstance': () => ({ instanceId: 'a' }) })
  assert.deepEqual(await local.requestInstance(order), { instanceId: 'a' })
  assert.deepEqual(plugin.calls[0]?.args, [
    {
      orderId: 'order-1',
      name: 'disk',
      request: { computeId: 'vm-2', volumeId: 'order-3', device: '/dev/sdb' },
      owner: { id: 'ana', identityProviderId: 'site-a' },
    },
    { login: 1 },
  ])
})

test('a credential that the cloud refuses is mapped once more, and not for ever', async () => {
  let refusals = 1
  const { local, mapped } = clouds({
    'attachment.deleteInstance': () => {
      if (refusals-- > 0) throw new FogbowError('unauthenticated', 'expired')
    },
  })
  await local.deleteInstance(order)
  assert.deepEqual(mapped, ['one', 'forgotten', 'one'])
  refusals = 9
  await assert.rejects(local.deleteInstance(order), {
    code: 'unavailable_provider',
    message: /'one' refuses the account that you are mapped to: expired/,
  })
})

test('other errors of a plugin are handed on as they are', async () => {
  const { local, mapped } = clouds({
    'attachment.getInstance': () => {
      throw new FogbowError('instance_not_found', 'gone')
    },
  })
  await assert.rejects(local.getInstance(order), { code: 'instance_not_found' })
  assert.deepEqual(mapped, ['one'])
})

test('a kind may be served by another plugin than the rest of the cloud', async () => {
  const { local, other } = clouds({})
  assert.equal(local.plugin('one', 'image').name, 'other')
  assert.equal(local.plugin('one', 'compute').name, 'cloud')
  await local.call(owner, 'one', 'image', 'getAllImages', [])
  assert.equal(other.calls.length, 1)
})

test('what a running plugin does not offer is not implemented; what a broken one offers is not known', async () => {
  const { local, plugin } = clouds({})
  await assert.rejects(local.act(order, 'pauseInstance'), { code: 'not_implemented' })
  plugin.state = 'backing-off'
  plugin.methods['attachment.pauseInstance'] = () => {
    throw new FogbowError('unavailable_provider', 'backing off')
  }
  await assert.rejects(local.act(order, 'pauseInstance'), { code: 'unavailable_provider' })
})

test('an order of a cloud that left the configuration waits for it; a request for it finds none', async () => {
  const { local } = clouds({})
  const stray = { ...order, cloudName: 'gone' } as Order
  await assert.rejects(local.getInstance(stray), {
    code: 'unavailable_provider',
    message: /'gone' is not configured at this site any more/,
  })
  await assert.rejects(local.call(owner, 'gone', 'image', 'getAllImages', []), {
    code: 'not_found',
    message: /There is no cloud 'gone' at this site; clouds are one/,
  })
  for (const name of ['constructor', '__proto__', 'toString']) assert.equal(local.has(name), false)
})
