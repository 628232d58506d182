import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FogbowError } from '../errors.ts'
import type { Connect } from '../host.ts'
import { createFakeClock } from './fake-clock.ts'
import { createFakeHost } from './fake-host.ts'
import { createMemoryStorage } from './memory-storage.ts'

describe('storage of a fake host', () => {
  test('a value that is changed after it was stored stays as it was stored', async () => {
    const storage = createMemoryStorage()
    const value = { size: 1 }
    await storage.set('a', value)
    value.size = 2
    const read = (await storage.get('a')) as { size: number }
    read.size = 3
    assert.deepEqual(await storage.get('a'), { size: 1 })
  })

  test('a list has the keys of a prefix in order, page by page', async () => {
    const storage = createMemoryStorage()
    await storage.write(['b/1', 'a/2', 'a/10', 'a/1'].map((key) => ({ key, value: key })))
    const keys = async (after?: string) =>
      (await storage.list('a/', { limit: 2, ...(after && { after }) })).map(({ key }) => key)
    assert.deepEqual(await keys(), ['a/1', 'a/10'])
    assert.deepEqual(await keys('a/10'), ['a/2'])
    assert.deepEqual(await keys('a/2'), [])
  })

  test('changes of which one cannot be stored leave everything as it was', async () => {
    const storage = createMemoryStorage()
    await storage.set('kept', 1)
    const tooLarge = { key: 'large', value: 'x'.repeat(1048577) }
    await assert.rejects(storage.write([{ key: 'kept' }, tooLarge]), /large.*1 MiB/)
    assert.equal(await storage.get('kept'), 1)
  })

  test('a host after a restart finds what was stored, the secrets and the time', async () => {
    const host = createFakeHost({ secrets: { password: 'x' } })
    await host.storage.set('a', 1)
    await host.clock.advance(1000)
    const again = host.restarted()
    assert.equal(await again.storage.get('a'), 1)
    assert.equal(await again.secrets.get('password'), 'x')
    assert.equal(again.clock.now(), host.clock.now())
  })
})

test('a secret that is not configured is a configuration error that names it', async () => {
  const missing = createFakeHost().secrets.get('toString')
  await assert.rejects(missing, { code: 'configuration_error', message: /'toString'/ })
})

test('what a plugin logs is recorded with its level', () => {
  const host = createFakeHost()
  host.log.warn('slow', { ms: 5 })
  assert.deepEqual(host.logged, [{ level: 'warn', message: 'slow', fields: { ms: 5 } }])
})

test('a request without a network fails, and with one it is answered', async () => {
  await assert.rejects(createFakeHost().fetch('https://example.org'), TypeError)
  const online = createFakeHost({ fetch: async () => new Response('hello') })
  assert.equal(await (await online.fetch('https://example.org')).text(), 'hello')
})

test('a connection without a network fails, and with one it is made', async () => {
  const address = { hostname: 'ldap.example', port: 389 }
  const down = createFakeHost().connect(address, { secureTransport: 'starttls' })
  const code = 'unavailable_provider'
  await assert.rejects(down.opened, { code })
  await assert.rejects(down.readable.getReader().read(), { code })
  await assert.rejects(down.startTls().opened, { code })
  const asked: unknown[] = []
  const connect: Connect = (...args) => {
    asked.push(args)
    return down
  }
  const host = createFakeHost({ connect })
  assert.equal(host.connect(address), down)
  assert.equal(host.restarted().connect(address, { secureTransport: 'on' }), down)
  assert.deepEqual(asked, [[address], [address, { secureTransport: 'on' }]])
})

describe('fake clock', () => {
  test('sleepers wake in the order of their time, and see that time', async () => {
    const clock = createFakeClock(0)
    const woken: [string, number][] = []
    const sleeper = async (name: string, ms: number) => {
      await clock.sleep(ms)
      woken.push([name, clock.now()])
    }
    const all = Promise.all([sleeper('late', 30), sleeper('early', 10)])
    await clock.advance(29)
    assert.deepEqual(woken, [['early', 10]])
    await clock.advance(1)
    await all
    assert.deepEqual(woken.at(-1), ['late', 30])
  })

  test('a sleep ends at once when its signal aborts', async () => {
    const clock = createFakeClock(0)
    const given = new AbortController()
    const sleeping = clock.sleep(1000, given.signal)
    given.abort(new FogbowError('timeout', 'enough'))
    await assert.rejects(sleeping, { code: 'timeout' })
    await assert.rejects(clock.sleep(1000, given.signal), { code: 'timeout' })
  })

  test('a moving clock lets nobody wait', async () => {
    const clock = createFakeClock(0, true)
    await clock.sleep(86_400_000)
    assert.equal(clock.now(), 86_400_000)
  })
})
