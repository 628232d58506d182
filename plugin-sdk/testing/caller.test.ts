import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FogbowError } from '../errors.ts'
import type { ImagePlugin, PluginParts } from '../index.ts'
import { startInProcess } from './caller.ts'
import { createFakeHost } from './fake-host.ts'

const image = { id: 'a', name: 'a', size: -1, minDisk: -1, minRam: -1 }

const start = (part: Partial<ImagePlugin>) =>
  startInProcess({ create: () => ({ image: part }) as PluginParts }, createFakeHost())

test('only methods of the contract are offered', async () => {
  const extra = { getAllImages: async () => [], somethingElse: async () => 1 }
  const caller = await start(extra)
  assert.deepEqual([...caller.offered], ['image.getAllImages'])
  await assert.rejects(caller.call('image.somethingElse', []), { code: 'not_implemented' })
})

test('a parameter that breaks the contract never reaches the plugin', async () => {
  let reached = false
  const caller = await start({
    async getImage() {
      reached = true
      return image
    },
  })
  await assert.rejects(caller.call('image.getImage', ['', {}]), {
    code: 'invalid_parameter',
    message: /imageId/,
  })
  assert.equal(reached, false)
})

test('an answer that breaks the contract is a plugin failure that says where', async () => {
  const caller = await start({ getAllImages: async () => [{ id: 'a' } as never] })
  await assert.rejects(caller.call('image.getAllImages', [{}]), {
    code: 'plugin_failure',
    message: /image\.getAllImages.*\[0\]\.name is required/,
  })
})

test('an error keeps its code and message, and anything else thrown becomes internal_error', async () => {
  const caller = await start({
    getImage: async () => {
      throw new FogbowError('instance_not_found', 'no such image')
    },
    getAllImages: async () => {
      throw new RangeError('oops')
    },
  })
  const unknown = caller.call('image.getImage', ['x', {}])
  await assert.rejects(unknown, { code: 'instance_not_found', message: 'no such image' })
  const broken = caller.call('image.getAllImages', [{}])
  await assert.rejects(broken, { code: 'internal_error', message: 'RangeError: oops' })
})

test('a plugin is told until when an answer must be there', async () => {
  const host = createFakeHost()
  const deadlines: number[] = []
  const part: ImagePlugin = {
    getAllImages: async (_token, call) => {
      deadlines.push(call.deadline)
      return []
    },
    getImage: async () => image,
  }
  const caller = await startInProcess({ create: () => ({ image: part }) }, host)
  await caller.call('image.getAllImages', [{}])
  assert.deepEqual(deadlines, [host.clock.now() + 30_000])
})
