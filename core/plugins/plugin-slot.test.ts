import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { createPluginSlot } from './plugin-slot.ts'
import { type StandInPlugin, standInPlugin } from './testing/stand-in-plugins.ts'
import { createTrial } from './trial.ts'

/** Deadlines that pass when the test says so. */
function fakeClock() {
  const due: (() => void)[] = []
  return {
    after(_ms: number, run: () => void) {
      due.push(run)
      return () => void due.splice(due.indexOf(run), 1)
    },
    expire() {
      for (const run of due.splice(0)) run()
    },
    due,
  }
}

/** A version whose calls end when the test says so. */
function version(name: string) {
  const ends: (() => void)[] = []
  const plugin = standInPlugin('cloud', {
    'compute.getInstance': () => new Promise((resolve) => ends.push(() => resolve(name))),
    'compute.requestInstance': () => name,
    'image.getAllImages': () => name,
  })
  return {
    plugin,
    end() {
      for (const end of ends.splice(0)) end()
    },
  }
}

const order = (orderId: string, owner = 'ana') => ({
  orderId,
  owner: { id: owner, identityProviderId: 'site-a' },
})

describe('handing over', () => {
  test('new calls go to the new version at once, those under way end at the old one', async () => {
    const [old, next] = [version('old'), version('new')]
    const slot = createPluginSlot(old.plugin, fakeClock())
    const underWay = slot.call('compute.getInstance', [order('1')])
    const gone = slot.switchTo(next.plugin, 1000)
    assert.equal(await slot.call('image.getAllImages', []), 'new')
    assert.equal(old.plugin.state, 'ready')
    old.end()
    assert.equal(await underWay, 'old')
    await gone
    assert.deepEqual([old.plugin.state, next.plugin.state], ['stopped', 'ready'])
  })

  test('an old version without calls is stopped at once, and nothing waits for its deadline', async () => {
    const clock = fakeClock()
    const [old, next] = [version('old'), version('new')]
    await createPluginSlot(old.plugin, clock).switchTo(next.plugin, 1000)
    assert.equal(old.plugin.state, 'stopped')
    assert.equal(clock.due.length, 0)
  })

  test('an old version that does not end is stopped at its deadline', async () => {
    const clock = fakeClock()
    const [old, next] = [version('old'), version('new')]
    const slot = createPluginSlot(old.plugin, clock)
    void slot.call('compute.getInstance', [order('1')])
    const gone = slot.switchTo(next.plugin, 1000)
    assert.equal(old.plugin.state, 'ready')
    clock.expire()
    await gone
    assert.equal(old.plugin.state, 'stopped')
  })

  test('a switch during the drain of another one leaves only the last version', async () => {
    const [first, second, third] = [version('1'), version('2'), version('3')]
    const slot = createPluginSlot(first.plugin, fakeClock())
    const underWay = slot.call('compute.getInstance', [order('1')])
    const both = [slot.switchTo(second.plugin, 1000), slot.switchTo(third.plugin, 1000)]
    assert.equal(await slot.call('image.getAllImages', []), '3')
    first.end()
    await Promise.all([...both, underWay])
    assert.deepEqual(
      [first, second, third].map(({ plugin }) => plugin.state),
      ['stopped', 'stopped', 'ready'],
    )
  })
})

describe('a trial', () => {
  const requested = (slot: ReturnType<typeof createPluginSlot>, id: string, owner?: string) =>
    slot.call('compute.requestInstance', [order(id, owner), { project: 'lab' }])

  function onTrial(of: Parameters<typeof createTrial>[1]) {
    const [old, next] = [version('old'), version('new')]
    const clock = fakeClock()
    const slot = createPluginSlot(old.plugin, clock)
    const trial = createTrial(next.plugin, of)
    slot.startTrial(trial)
    return { old, next, slot, trial, clock }
  }

  test('takes about its share of the new orders, the same ones each time', async () => {
    const { slot } = onTrial({ share: 0.3 })
    const ids = Array.from({ length: 400 }, (_, at) => `order-${at}`)
    const first = await Promise.all(ids.map((id) => requested(slot, id)))
    const share = first.filter((name) => name === 'new').length / ids.length
    assert.ok(share > 0.2 && share < 0.4, `${share}`)
    assert.deepEqual(await Promise.all(ids.map((id) => requested(slot, id))), first)
  })

  test('keeps an order where it began, and old orders where they were', async () => {
    const { slot, next, old } = onTrial({ share: 1 })
    await requested(slot, 'young')
    const [young, aged] = [order('young'), order('aged')].map((one) =>
      slot.call('compute.getInstance', [one]),
    )
    next.end()
    old.end()
    assert.deepEqual([await young, await aged], ['new', 'old'])
    assert.equal(await slot.call('image.getAllImages', [{}]), 'old')
  })

  test('can be of one user or one project only', async () => {
    const { slot } = onTrial({ user: 'eve@site-a' })
    assert.equal(await requested(slot, '1', 'eve'), 'new')
    assert.equal(await requested(slot, '2', 'ana'), 'old')
    const ofProject = onTrial({ project: 'lab' })
    assert.equal(await requested(ofProject.slot, '1'), 'new')
    const other = onTrial({ project: 'office' })
    assert.equal(await requested(other.slot, '1'), 'old')
  })

  test('counts as failures what is the plugin’s own, and not what was asked of it', async () => {
    const { slot, next, trial } = onTrial({ share: 1 })
    const answers: Record<string, FogbowError> = {
      a: new FogbowError('plugin_failure', 'crashed'),
      b: new FogbowError('timeout', 'late'),
      c: new FogbowError('quota_exceeded', 'full'),
    }
    const plugin: StandInPlugin = next.plugin
    plugin.methods['compute.requestInstance'] = (({ orderId }: { orderId: string }) => {
      throw answers[orderId] as FogbowError
    }) as never
    for (const id of ['a', 'b', 'c']) await assert.rejects(requested(slot, id))
    await slot.call('image.getAllImages', [{}])
    assert.deepEqual(trial.counts, {
      present: { calls: 1, failures: 0 },
      tried: { calls: 3, failures: 2 },
    })
  })

  test('that is ended lets its version finish, and sends it nothing more', async () => {
    const { slot, next } = onTrial({ share: 1 })
    await requested(slot, '1')
    const underWay = slot.call('compute.getInstance', [order('1')])
    const ended = slot.endTrial(1000)
    assert.equal(await requested(slot, '1'), 'old')
    assert.equal(next.plugin.state, 'ready')
    next.end()
    assert.equal(await underWay, 'new')
    await ended
    assert.equal(next.plugin.state, 'stopped')
  })

  test('that is passed goes on with what its version has under way', async () => {
    const { slot, next, old } = onTrial({ share: 1 })
    await requested(slot, '1')
    const underWay = slot.call('compute.getInstance', [order('1')])
    await slot.switchTo(next.plugin, 1000)
    assert.deepEqual([old.plugin.state, next.plugin.state], ['stopped', 'ready'])
    next.end()
    assert.equal(await underWay, 'new')
  })

  test('is dropped when a third version takes over', async () => {
    const { slot, next } = onTrial({ share: 1 })
    const third = version('third')
    await slot.switchTo(third.plugin, 1000)
    assert.equal(await requested(slot, '1'), 'third')
    assert.equal(next.plugin.state, 'stopped')
    assert.equal(slot.trial, undefined)
  })
})

test('a plugin that is closed for new orders goes on with the others', async () => {
  const { plugin } = version('only')
  const slot = createPluginSlot(plugin, fakeClock())
  slot.closeForNew('list has revoked it: it leaks')
  await assert.rejects(slot.call('compute.requestInstance', [order('1')]), {
    code: 'unavailable_provider',
    message: /'cloud' takes no new orders: list has revoked it: it leaks/,
  })
  assert.equal(await slot.call('image.getAllImages', []), 'only')
  slot.closeForNew(undefined)
  assert.equal(await slot.call('compute.requestInstance', [order('1')]), 'only')
})
