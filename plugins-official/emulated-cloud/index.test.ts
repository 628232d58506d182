import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { newOrder, startCloud } from './cloud-under-test.ts'

const linux = { imageId: 'debian-12' }

describe('what exists', () => {
  test('every instance is in the storage under its kind and order id before anybody is answered', async () => {
    const cloud = await startCloud()
    const compute = await cloud.make('compute', linux)
    const volume = await cloud.make('volume', { size: 1 })
    await cloud.make('network', {})
    const attached = { computeId: compute.instanceId, volumeId: volume.instanceId }
    await cloud.make('attachment', attached)
    await cloud.make('publicIp', { computeId: compute.instanceId })
    const kinds = cloud.stored('instance/').map((key) => key.replace(/order-\d+$/, '*'))
    assert.deepEqual(kinds.sort(), [
      'instance/attachment/*',
      'instance/compute/*',
      'instance/network/*',
      'instance/publicIp/*',
      'instance/volume/*',
    ])
  })

  test('a request is one write to the storage', async () => {
    const cloud = await startCloud()
    const { storage } = cloud.host
    let writes = 0
    for (const method of ['set', 'delete', 'write'] as const) {
      const original = storage[method] as (...args: unknown[]) => Promise<void>
      Object.assign(storage, {
        [method]: (...args: unknown[]) => {
          writes++
          return original(...args)
        },
      })
    }
    await cloud.make('compute', linux)
    assert.equal(writes, 1)
  })

  test('a request whose storing fails leaves nothing behind, and can be repeated', async () => {
    const cloud = await startCloud()
    const { storage } = cloud.host
    const { write } = storage
    storage.write = async () => {
      throw new Error('disk full')
    }
    const order = newOrder({ size: 5 })
    await assert.rejects(cloud.call('volume.requestInstance', order, {}), /disk full/)
    assert.equal((await cloud.used()).storage, 0)
    storage.write = write
    await cloud.call('volume.requestInstance', order, {})
    assert.equal((await cloud.used()).storage, 5)
  })

  test('instances, rules, snapshots, addresses and quota are the same after a restart', async () => {
    const before = await startCloud()
    const network = await before.make('network', { cidr: '192.0.2.0/29' })
    const compute = await before.make('compute', { ...linux, networkIds: [network.instanceId] })
    const parent = {
      kind: 'network',
      orderId: network.orderId,
      instanceId: network.instanceId ?? '',
    }
    const rule = {
      protocol: 'TCP',
      direction: 'IN',
      cidr: '192.0.2.0/24',
      portFrom: 22,
      portTo: 22,
    }
    await before.call(
      'securityRule.requestSecurityRule',
      { ...rule, etherType: 'IPv4' },
      parent,
      {},
    )
    await before.call('compute.takeSnapshot', compute, 'mine', {})
    const look = async (cloud: typeof before) => [
      await cloud.get('compute', compute),
      await cloud.call('securityRule.getSecurityRules', parent, {}),
      await cloud.call('image.getAllImages', {}),
      await cloud.used(),
    ]
    const seen = await look(before)
    const after = await before.restarted()
    assert.deepEqual(await look(after), seen)
    const other = await after.make('compute', { ...linux, networkIds: [network.instanceId] })
    assert.notDeepEqual((await after.get('compute', other)).ipAddresses, seen[0])
  })

  test('what was deleted leaves nothing in the storage, its rules included', async () => {
    const cloud = await startCloud({ delaysMs: { delete: 1000 } })
    const network = await cloud.make('network', {})
    const parent = {
      kind: 'network',
      orderId: network.orderId,
      instanceId: network.instanceId ?? '',
    }
    const rule = { protocol: 'ICMP', direction: 'IN', etherType: 'IPv4', cidr: '192.0.2.1/32' }
    await cloud.call('securityRule.requestSecurityRule', rule, parent, {})
    await cloud.delete('network', network)
    await cloud.host.clock.advance(1000)
    const volume = await cloud.make('volume', { size: 1 })
    assert.deepEqual(cloud.stored(), [`instance/volume/${volume.orderId}`])
  })

  test('deleting while the request is still being stored leaves nothing', async () => {
    const cloud = await startCloud()
    const order = newOrder({ size: 1 })
    await Promise.all([
      cloud.call('volume.requestInstance', order, {}),
      cloud.delete('volume', order),
    ])
    assert.deepEqual(cloud.stored(), [])
    assert.equal((await cloud.used()).volumes, 0)
  })
})

describe('computes', () => {
  test('the smallest flavor that has all that is asked for is taken', async () => {
    const cloud = await startCloud()
    const { allocation } = await cloud.call(
      'compute.requestInstance',
      newOrder({ ...linux, vCPU: 2, ram: 2048 }),
      {},
    )
    assert.deepEqual(allocation, { vCPU: 2, ram: 4096, disk: 40 })
  })

  test('a flavor must have the requirements, and room for the image', async () => {
    const cloud = await startCloud()
    const withGpu = await cloud.make('compute', { ...linux, requirements: { gpu: '1' } })
    assert.equal((await cloud.get('compute', withGpu)).ram, 32_768)
    const ubuntu = await cloud.make('compute', { imageId: 'ubuntu-24.04' })
    assert.equal((await cloud.get('compute', ubuntu)).ram, 2048)
  })

  test('what no flavor has is unacceptable, and the message says what', async () => {
    const cloud = await startCloud()
    const asked = { ...linux, vCPU: 3, requirements: { gpu: '9' } }
    await assert.rejects(cloud.make('compute', asked), {
      code: 'unacceptable_operation',
      message: /3 vCPU.*gpu=9/,
    })
  })

  test('each network is joined once, beside the default one, and only that is reported', async () => {
    const cloud = await startCloud()
    const { instanceId } = await cloud.make('network', { cidr: '192.0.2.0/24' })
    const compute = await cloud.make('compute', { ...linux, networkIds: [instanceId, instanceId] })
    const { ipAddresses, networks } = await cloud.get('compute', compute)
    assert.deepEqual(ipAddresses, ['10.0.0.1', '192.0.2.2'])
    assert.deepEqual(networks, [{ id: 'default', name: 'default' }])
  })

  test('a network without free address takes nobody in, and frees one when a compute goes', async () => {
    const cloud = await startCloud()
    const { instanceId } = await cloud.make('network', { cidr: '192.0.2.0/30' })
    const joining = { ...linux, networkIds: [instanceId] }
    const first = await cloud.make('compute', joining)
    await assert.rejects(cloud.make('compute', joining), /no free address/)
    await cloud.delete('compute', first)
    const { ipAddresses } = await cloud.get('compute', await cloud.make('compute', joining))
    assert.ok((ipAddresses as string[]).includes('192.0.2.2'))
  })

  test('an action takes its time, and one that does not fit the state is refused', async () => {
    const cloud = await startCloud({ delaysMs: { action: 1000 } })
    const compute = await cloud.make('compute', linux)
    const act = (method: string) => cloud.call(`compute.${method}`, compute, {})
    const state = async () => (await cloud.get('compute', compute)).state
    await act('pauseInstance')
    assert.equal(await state(), 'BUSY')
    await assert.rejects(act('stopInstance'), { code: 'unacceptable_operation' })
    await cloud.host.clock.advance(1000)
    assert.equal(await state(), 'PAUSED')
    await assert.rejects(act('hibernateInstance'), /only when READY/)
  })

  test('a snapshot can be booted once it is finished, and repeating it makes no second one', async () => {
    const cloud = await startCloud({ delaysMs: { action: 1000 } })
    const compute = await cloud.make('compute', linux)
    await cloud.call('compute.takeSnapshot', compute, 'mine', {})
    await cloud.call('compute.takeSnapshot', compute, 'mine', {})
    const images = await cloud.call<{ id: string; name: string }[]>('image.getAllImages', {})
    const [mine, ...more] = images.filter(({ name }) => name === 'mine')
    assert.deepEqual(more, [])
    const boot = () => cloud.make('compute', { imageId: mine?.id })
    await assert.rejects(boot(), /still being made/)
    await cloud.host.clock.advance(1000)
    assert.equal((await cloud.get('compute', await boot())).state, 'READY')
  })

  test('deleting one detaches its volumes and leaves its public address', async () => {
    const cloud = await startCloud()
    const compute = await cloud.make('compute', linux)
    const volume = await cloud.make('volume', { size: 1 })
    const ids = { computeId: compute.instanceId, volumeId: volume.instanceId }
    const attachment = await cloud.make('attachment', ids)
    const publicIp = await cloud.make('publicIp', { computeId: compute.instanceId })
    await cloud.delete('compute', compute)
    await assert.rejects(cloud.get('attachment', attachment), { code: 'instance_not_found' })
    assert.equal((await cloud.get('volume', volume)).cloudState, 'available')
    assert.match(String((await cloud.get('publicIp', publicIp)).ip), /^198\.18\./)
  })
})

describe('quota', () => {
  test('a request beyond it is refused with the amount, and nothing is made', async () => {
    const quota = { instances: 1, vCPU: -1, ram: -1, storage: 10 }
    const cloud = await startCloud({ quota })
    await cloud.make('compute', linux)
    await assert.rejects(cloud.make('compute', linux), {
      code: 'quota_exceeded',
      message: /instances.*1 of 1/,
    })
    await assert.rejects(cloud.make('volume', { size: 11 }), { code: 'quota_exceeded' })
    assert.equal(cloud.stored('instance/').length, 1)
  })

  test('requests at the same time do not exceed it together', async () => {
    const cloud = await startCloud({ quota: { volumes: 3 } })
    const requests = Array.from({ length: 10 }, () => cloud.make('volume', { size: 1 }))
    const made = (await Promise.allSettled(requests)).filter(({ status }) => status === 'fulfilled')
    assert.equal(made.length, 3)
  })

  test('what is being deleted counts until it is gone', async () => {
    const cloud = await startCloud({ delaysMs: { delete: 1000 } })
    const volume = await cloud.make('volume', { size: 7 })
    await cloud.delete('volume', volume)
    assert.equal((await cloud.get('volume', volume)).state, 'DELETING')
    assert.equal((await cloud.used()).storage, 7)
    await cloud.host.clock.advance(1000)
    assert.equal((await cloud.used()).storage, 0)
  })
})

describe('networks and volumes in use', () => {
  test('a network that a compute has joined cannot be deleted before the compute', async () => {
    const cloud = await startCloud()
    const network = await cloud.make('network', {})
    const compute = await cloud.make('compute', { ...linux, networkIds: [network.instanceId] })
    await assert.rejects(cloud.delete('network', network), {
      code: 'unacceptable_operation',
      message: new RegExp(compute.instanceId ?? ''),
    })
    await cloud.delete('compute', compute)
    await cloud.delete('network', network)
    assert.deepEqual(cloud.stored(), [])
  })

  test('a volume is attached to one compute at a time, and cannot be deleted meanwhile', async () => {
    const cloud = await startCloud()
    const [left, right] = [await cloud.make('compute', linux), await cloud.make('compute', linux)]
    const volume = await cloud.make('volume', { size: 1 })
    const ids = { computeId: left.instanceId, volumeId: volume.instanceId }
    const attachment = await cloud.make('attachment', ids)
    const again = cloud.make('attachment', { ...ids, computeId: right.instanceId })
    await assert.rejects(again, { code: 'unacceptable_operation', message: /attached to/ })
    await assert.rejects(cloud.delete('volume', volume), { code: 'unacceptable_operation' })
    await cloud.delete('attachment', attachment)
    await cloud.delete('volume', volume)
  })

  test('volumes get devices of their own, and one that is taken is refused', async () => {
    const cloud = await startCloud()
    const { instanceId: computeId } = await cloud.make('compute', linux)
    const attach = async (device?: string) => {
      const { instanceId: volumeId } = await cloud.make('volume', { size: 1 })
      const order = await cloud.make('attachment', {
        computeId,
        volumeId,
        ...(device && { device }),
      })
      return (await cloud.get('attachment', order)).device
    }
    assert.equal(await attach(), '/dev/vdb')
    assert.equal(await attach('/dev/sdx'), '/dev/sdx')
    assert.equal(await attach(), '/dev/vdc')
    await assert.rejects(attach('/dev/sdx'), /\/dev\/sdx.*taken/)
  })

  test('addresses that make no network are refused with the field', async () => {
    const cloud = await startCloud()
    const wrong: [Record<string, string>, RegExp][] = [
      [{ cidr: '10.0.0.300/24' }, /network\.cidr/],
      [{ cidr: '10.0.0.0/31' }, /network\.cidr/],
      [{ cidr: '10.0.0.0/24', gateway: '10.0.1.1' }, /network\.gateway/],
      [{ cidr: '10.0.0.0/24', gateway: '10.0.0.255' }, /network\.gateway/],
    ]
    for (const [request, message] of wrong)
      await assert.rejects(cloud.make('network', request), { code: 'invalid_parameter', message })
  })
})

describe('failures', () => {
  const always = (failure: string, method = 'volume.requestInstance') => ({
    failureRates: { [method]: { [failure]: 1 } },
  })

  test('unavailableBefore fails, and nothing was done', async () => {
    const cloud = await startCloud(always('unavailableBefore'))
    await assert.rejects(cloud.make('volume', { size: 1 }), { code: 'unavailable_provider' })
    assert.deepEqual(cloud.stored(), [])
  })

  test('unavailableAfter fails although it was done, and repeating it gives the same instance', async () => {
    const cloud = await startCloud(always('unavailableAfter'))
    const order = newOrder({ size: 1 })
    for (let time = 0; time < 2; time++)
      await assert.rejects(cloud.call('volume.requestInstance', order, {}), {
        code: 'unavailable_provider',
      })
    assert.deepEqual(cloud.stored(), [`instance/volume/${order.orderId}`])
  })

  test('a call that hangs ends at its deadline', async () => {
    for (const [failure, left] of Object.entries({ hangBefore: 0, hangAfter: 1 })) {
      const cloud = await startCloud(always(failure))
      const start = cloud.host.clock.now()
      const call = cloud.make('volume', { size: 1 })
      const rejected = assert.rejects(call, { code: 'timeout' })
      await cloud.host.clock.advance(120_000)
      await rejected
      assert.equal(cloud.host.clock.now() - start, 120_000)
      assert.equal(cloud.stored().length, left)
    }
  })

  test('failInstance makes an instance that fails, says why and can be deleted', async () => {
    const cloud = await startCloud({ ...always('failInstance'), delaysMs: { create: 1000 } })
    const volume = await cloud.make('volume', { size: 1 })
    assert.equal((await cloud.get('volume', volume)).state, 'CREATING')
    await cloud.host.clock.advance(1000)
    const { state, faultMessage } = await cloud.get('volume', volume)
    assert.deepEqual(
      [state, faultMessage],
      ['FAILED', 'the emulated cloud could not build this volume'],
    )
    await cloud.delete('volume', volume)
    assert.deepEqual(cloud.stored(), [])
  })

  test('the most exact name counts: method of a kind, then method, then all', async () => {
    const failing = { unavailableBefore: 1 }
    const cloud = await startCloud({
      failureRates: { '*': failing, deleteInstance: {}, 'volume.requestInstance': {} },
    })
    const volume = await cloud.make('volume', { size: 1 })
    await cloud.delete('volume', volume)
    await assert.rejects(cloud.make('network', {}), { code: 'unavailable_provider' })
  })

  test('one seed gives one sequence of failures', async () => {
    const sequence = async (seed: number) => {
      const cloud = await startCloud({ seed, failureRates: { '*': { unavailableBefore: 0.5 } } })
      const calls = Array.from({ length: 32 }, () => cloud.call('quota.getUserQuota', {}))
      return (await Promise.allSettled(calls)).map(({ status }) => status).join()
    }
    assert.equal(await sequence(1), await sequence(1))
    assert.notEqual(await sequence(1), await sequence(2))
    assert.match(await sequence(1), /fulfilled.*rejected|rejected.*fulfilled/)
  })

  test('every call takes the time that is configured', async () => {
    const cloud = await startCloud({ delaysMs: { call: 250 } })
    let answered = false
    const call = cloud.used().then(() => {
      answered = true
    })
    await cloud.host.clock.advance(249)
    assert.equal(answered, false)
    await cloud.host.clock.advance(1)
    await call
  })
})
