import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import type { Choice, Move, PlacedWish } from './any-site.ts'
import { createBench, doubt, refusal, site, wish } from './testing/bench.ts'

const three = [site('site-a'), site('site-b'), site('site-c')]

function placedBy({ place, considered }: Choice): PlacedWish {
  return { ...wish, provider: place.provider, considered }
}

function outcomes(considered: readonly { provider: string; outcome: string }[]) {
  return considered.map(({ provider, outcome }) => `${provider} ${outcome}`)
}

function nextOf(move: Move): Choice {
  assert.equal(move.to, 'next')
  return move as Choice
}

describe('the first site', () => {
  test('is the one that the plugin ranks first, in its default cloud', async () => {
    const { begin, bench } = createBench(three)
    bench.rank = async () => ({ ranked: ['site-b', 'site-a', 'site-c'] })
    const { place, considered } = await begin(wish)
    assert.deepEqual(place, { provider: 'site-b', cloudName: 'default' })
    assert.deepEqual(considered, [{ provider: 'site-b', outcome: 'chosen', at: bench.time }])
  })

  test('is asked for the cloud that the user names, and those without it are left out', async () => {
    const clouds = new Map([
      ['site-a', { clouds: ['default'] }],
      ['site-b', { clouds: ['default', 'lab'] }],
    ])
    const { begin } = createBench([...three].reverse(), {
      facts: { gather: async () => clouds },
    })
    const request = { ...wish.request, cloudName: 'lab' }
    const { place, considered } = await begin({ ...wish, request })
    // Of site-c nobody knows: it may have one.
    assert.deepEqual(place, { provider: 'site-c', cloudName: 'lab' })
    assert.equal(considered[0]?.reason, "it has no cloud 'lab'")
  })

  test('has no cloud yet when only the provider can tell, unless it is this site', async () => {
    const silent = { facts: { gather: async () => new Map() } }
    const remote = createBench([site('site-b')], silent)
    assert.equal((await remote.begin(wish)).place.cloudName, '')
    const local = createBench([site('site-a')], silent)
    assert.equal((await local.begin(wish)).place.cloudName, 'default')
  })

  test('is none that must not be asked; the order keeps why', async () => {
    const { begin, bench } = createBench([
      site('site-a'),
      site('site-b'),
      site('site-c', { problem: 'its key is not known' }),
    ])
    bench.forbidden.set('site-a', new FogbowError('unauthorized', 'Ana may not create here'))
    const { place, considered } = await begin(wish)
    assert.equal(place.provider, 'site-b')
    assert.deepEqual(
      considered.map(({ provider, outcome, reason }) => [provider, outcome, reason]),
      [
        ['site-a', 'leftOut', 'Ana may not create here'],
        ['site-c', 'leftOut', 'its key is not known'],
        ['site-b', 'chosen', undefined],
      ],
    )
  })

  test('is not asked for what the plugin leaves out, with or without a reason', async () => {
    const { begin, bench } = createBench(three)
    bench.rank = async () => ({
      ranked: ['site-c'],
      leftOut: [{ provider: 'site-a', reason: 'kept for others' }],
    })
    const { considered } = await begin(wish)
    assert.deepEqual(
      considered.map(({ provider, reason }) => [provider, reason]),
      [
        ['site-a', 'kept for others'],
        ['site-b', 'the placement plugin gives no reason'],
        ['site-c', undefined],
      ],
    )
  })

  test('is never one that the plugin made up', async () => {
    const { begin, bench } = createBench(three)
    bench.rank = async () => ({ ranked: ['evil.example', 'site-b'] })
    assert.equal((await begin(wish)).place.provider, 'site-b')
  })

  test('is none when nobody can be asked: the error says why for each', async () => {
    const { begin, bench } = createBench([site('site-a'), site('site-b')])
    bench.rank = async () => ({
      ranked: [],
      leftOut: [{ provider: 'site-a', reason: 'closed today' }],
    })
    await assert.rejects(begin(wish), {
      code: 'unavailable_provider',
      message:
        'No site can be asked for it. site-a (not asked): closed today; site-b (not asked): the placement plugin gives no reason',
    })
  })

  test('is none for a user who may go nowhere', async () => {
    const { begin, bench } = createBench([site('site-a'), site('site-b')])
    for (const { id } of three)
      bench.forbidden.set(id, new FogbowError('unauthorized', 'Ana may not create computes'))
    await assert.rejects(begin(wish), { code: 'unauthorized' })
    assert.equal(bench.asked.length, 0)
  })

  test('is not chosen while it is not known who may go where', async () => {
    const { begin, bench } = createBench(three)
    bench.forbidden.set('site-c', new FogbowError('unavailable_provider', 'policy is starting'))
    await assert.rejects(begin(wish), { message: 'policy is starting' })
  })
})

describe('the plugin', () => {
  test('sees what decides, and neither secrets nor user data', async () => {
    const { begin, bench } = createBench(three)
    const userData = [{ extraUserDataFileContent: 'cGFzc3dvcmQ=' }]
    const request = { ...wish.request, publicKey: 'ssh-ed25519 AAAA ana', userData }
    const user = { ...wish.user, tokenValue: 'secret', attributes: { group: 'physics' } }
    await begin({ ...wish, request, user })
    assert.deepEqual(bench.asked[0]?.request, {
      kind: 'compute',
      request: { vCPU: 2, ram: 1024 },
      user: {
        id: 'ana',
        identityProviderId: 'site-a',
        roles: ['user'],
        attributes: { group: 'physics' },
      },
    })
  })

  test('sees silent members, who are asked for nothing', async () => {
    const talked: string[] = []
    const sites = [site('site-a'), site('site-b', { liveness: 'silent' })]
    const { begin, bench } = createBench(sites, {
      facts: {
        async gather(_user, ids) {
          talked.push(...ids)
          return new Map()
        },
      },
    })
    await begin(wish)
    assert.deepEqual(talked, ['site-a'])
    assert.equal(bench.asked[0]?.candidates[1]?.liveness, 'silent')
  })

  test('sees who refused the same user the same kind, and nobody else', async () => {
    const { begin, moveOn, bench } = createBench(three)
    await moveOn(placedBy(await begin(wish)), refusal())
    await begin(wish)
    await begin({ ...wish, user: { ...wish.user, id: 'bob' } })
    await begin({ ...wish, kind: 'volume' })
    const seen = bench.asked.slice(2).map(({ candidates }) => candidates[0]?.lastRefusal)
    assert.deepEqual(seen, [{ reason: 'vCPU: none left', at: bench.time }, undefined, undefined])
  })
})

describe('after a refusal', () => {
  test('the next site is asked, and the order keeps what the one before said', async () => {
    const { begin, moveOn, bench } = createBench(three)
    const first = await begin(wish)
    bench.time += 1000
    const { place, considered } = nextOf(await moveOn(placedBy(first), refusal()))
    assert.equal(place.provider, 'site-b')
    assert.deepEqual(considered, [
      { provider: 'site-a', outcome: 'refused', reason: 'vCPU: none left', at: bench.time },
      { provider: 'site-b', outcome: 'chosen', at: bench.time },
    ])
  })

  test('of all sites the order has failed, with the reason of each', async () => {
    const { begin, moveOn, bench } = createBench([...three, site('site-d')])
    bench.forbidden.set('site-d', new FogbowError('unauthorized', 'not among members.targets'))
    let choice = await begin(wish)
    for (const reason of ['vCPU: none left', 'no flavor suits'])
      choice = nextOf(await moveOn(placedBy(choice), refusal(reason)))
    const move = await moveOn(placedBy(choice), refusal('Ana may not come here'))
    assert.ok(move.to === 'nowhere')
    assert.equal(
      move.message,
      'No site took it. site-a: vCPU: none left; site-b: no flavor suits; site-c: Ana may not come here; site-d (not asked): not among members.targets',
    )
    assert.deepEqual(outcomes(move.considered), [
      'site-a refused',
      'site-b refused',
      'site-c refused',
      'site-d leftOut',
    ])
  })

  test('a site that was left out before may be asked by now', async () => {
    const sites = [site('site-a'), site('site-b', { problem: 'it cannot be reached' })]
    const { begin, moveOn } = createBench(sites)
    const first = await begin(wish)
    assert.deepEqual(outcomes(first.considered), ['site-b leftOut', 'site-a chosen'])
    sites[1] = site('site-b')
    const { considered } = nextOf(await moveOn(placedBy(first), refusal()))
    assert.deepEqual(outcomes(considered), ['site-a refused', 'site-b chosen'])
  })

  test('the same refusal told twice counts once', async () => {
    const { begin, moveOn } = createBench(three)
    const placed = placedBy(await begin(wish))
    await moveOn(placed, refusal())
    const { considered } = nextOf(await moveOn(placed, refusal()))
    assert.deepEqual(outcomes(considered), ['site-a refused', 'site-b chosen'])
  })

  test('that is long, the list and the message stay readable', async () => {
    const many = Array.from({ length: 100 }, (_, index) => site(`site-${index}.example`))
    const { moveOn, bench } = createBench(many)
    bench.rank = async () => ({ ranked: [] })
    const reason = 'x'.repeat(1000)
    const placed = { ...wish, provider: 'site-0.example', considered: [] }
    const move = await moveOn(placed, { outcome: 'refused', message: reason })
    assert.ok(move.to === 'nowhere')
    assert.ok(move.message.length <= 4096, `${move.message.length}`)
    assert.equal(move.considered[0]?.reason?.length, 500)
  })
})

describe('an order stays where it is', () => {
  test('while nobody knows what its site has done', async () => {
    const { begin, moveOn, bench } = createBench(three)
    const placed = placedBy(await begin(wish))
    assert.deepEqual(await moveOn(placed, doubt()), {
      to: 'same',
      message: 'no answer within 10 s',
    })
    assert.equal(bench.asked.length, 1)
  })

  test('while the plugin cannot say where to', async () => {
    const { begin, moveOn, bench } = createBench(three)
    const placed = placedBy(await begin(wish))
    bench.rank = async () => {
      throw new FogbowError('plugin_failure', 'the plugin crashed')
    }
    assert.deepEqual(await moveOn(placed, refusal()), {
      to: 'same',
      message:
        'site-a refused it: vCPU: none left; which site is next is not known yet: the plugin crashed',
    })
  })
})
