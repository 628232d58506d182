import assert from 'node:assert/strict'
import { FogbowError } from '@fogbow/plugin-sdk'
import { type Order, type OrderState, orderHistory } from '../../../orders/index.ts'
import type { TestClock } from '../../../orders/testing/bench.ts'
import type { ModelCloud } from '../../../orders/testing/model-cloud.ts'
import { pass, SiteBench, settle, type Way } from './site-bench.ts'

export const atRest: readonly OrderState[] = [
  'FULFILLED',
  'PAUSED',
  'STOPPED',
  'FAILED_ON_REQUEST',
  'FAILED_AFTER_SUCCESSFUL_REQUEST',
  'CLOSED',
]

export type Wish = 'delete' | 'pause' | 'resume' | 'read' | 'snapshot'

/** A snapshot that a user asked for, and what he was told of it. */
interface Snapshot {
  readonly name: string
  told: 'done' | 'refused' | 'unknown'
}

/** Two sites, what users and administrators wanted of them, and what has to be true of that whatever happens. */
export class TwoSites {
  readonly network: Way
  readonly clock: TestClock
  readonly ids: string[] = []
  /** What somebody wanted to be gone, here or there. */
  readonly deleted = new Set<string>()
  readonly lost = new Set<string>()
  readonly snapshots: Snapshot[] = []
  readonly images: { id: string; name: string }[] = []
  /** What must never happen, and did. */
  readonly wrongs: string[] = []
  home!: SiteBench
  away!: SiteBench
  #underWay = new Set<Promise<unknown>>()

  constructor(network: Way, clock: TestClock) {
    this.network = network
    this.clock = clock
  }

  async open(): Promise<this> {
    this.home = await SiteBench.open('site-a', this.network, this.clock)
    this.away = await SiteBench.open('site-b', this.network, this.clock)
    this.home.watch = (before, after) => this.#watch(before, after)
    for (const { plugin, cloud } of [this.home, this.away])
      Object.assign(plugin.methods, {
        'compute.takeSnapshot': (_order: object, name: string) => this.#takeSnapshot(cloud, name),
        'image.getAllImages': () => [...this.images],
      })
    return this
  }

  pass(ms: number): Promise<void> {
    return pass(this.network, this.clock, ms)
  }

  create(body: object = {}): Promise<void> {
    const { operations } = this.home
    const wanted = { imageId: 'i', provider: 'site-b', ...body }
    const made = operations.createOrder(this.home.as('ana'), 'compute', wanted)
    return this.#begin(made.then(({ id }) => this.ids.push(id)))
  }

  /** A user asks; what he asks for goes on while other things happen. */
  ask(id: string, what: Wish): Promise<void> {
    const { operations } = this.home
    const ana = this.home.as('ana')
    if (what === 'delete')
      return this.#begin(operations.deleteOrder(ana, 'compute', id), () => this.deleted.add(id))
    if (what === 'read') return this.#begin(operations.getOrder(ana, 'compute', id))
    if (what === 'snapshot') return this.#snapshot(id)
    return this.#begin(operations.actOnOrder(ana, 'compute', id, what))
  }

  /** An administrator over there ends it. */
  purge(id: string): Promise<void> {
    const deleted = this.away.operations.deleteOrder(this.away.as('root:admin'), 'compute', id)
    return this.#begin(deleted, () => this.deleted.add(id))
  }

  /** An instance is gone from its cloud, or fails. */
  strike(id: string, how: 'lose' | 'fail'): void {
    const { instances } = this.away.cloud
    const instance = instances.get(id)
    if (how === 'lose' && instances.delete(id)) this.lost.add(id)
    else if (how === 'fail' && instance && instance.state !== 'DELETING') instance.state = 'FAILED'
  }

  /** After everything has come to rest. */
  async check(): Promise<void> {
    assert.deepEqual(this.wrongs, [])
    for (const id of this.ids) await this.#checkOrder(id)
    for (const { cloud } of [this.home, this.away])
      for (const id of cloud.instances.keys())
        assert.ok(this.ids.includes(id), 'an instance that nobody owns')
    for (const snapshot of this.snapshots) this.#checkSnapshot(snapshot)
  }

  async close(): Promise<void> {
    await this.home.close()
    await this.away.close()
  }

  async #begin(work: Promise<unknown>, done: () => unknown = () => {}): Promise<void> {
    const watched = work.then(done, (error) => {
      const code = error instanceof FogbowError ? error.code : String(error)
      if (!expectedCodes.has(code)) this.wrongs.push(`a user was told: ${code} ${error.message}`)
    })
    this.#underWay.add(watched)
    void watched.finally(() => this.#underWay.delete(watched))
    await settle(this.network)
  }

  async #snapshot(id: string): Promise<void> {
    const snapshot: Snapshot = { name: `snapshot-${this.snapshots.length}`, told: 'unknown' }
    this.snapshots.push(snapshot)
    const { operations } = this.home
    const ana = this.home.as('ana')
    const taken = operations.takeSnapshot(ana, 'compute', id, { name: snapshot.name })
    const heard = taken.then(
      () => {
        snapshot.told = 'done'
      },
      (error) => {
        if (error.outcome === 'refused') snapshot.told = 'refused'
        throw error
      },
    )
    await this.#begin(heard)
  }

  #takeSnapshot(cloud: ModelCloud, name: string): void {
    if (cloud.weather === 'down') throw new FogbowError('unavailable_provider', 'it is down')
    if (cloud.weather === 'refusing') throw new FogbowError('quota_exceeded', 'no room')
    this.images.push({ id: `image-${this.images.length}`, name })
    if (cloud.weather === 'deaf') throw new FogbowError('timeout', 'the answer was lost')
  }

  #watch(before: Order, after: Order): void {
    const isSameSite = before.provider === after.provider
    if (isSameSite && (before.generation ?? 0) > (after.generation ?? 0))
      this.wrongs.push(`generation ${before.generation} was followed by ${after.generation}`)
    if (after.state === 'CLOSED' && after.provider === 'site-b') void this.#assertClosedThere(after)
  }

  /** An order ends here when it has ended there, or was never there. */
  async #assertClosedThere({ id }: Order): Promise<void> {
    const there = await this.away.order(id)
    if (there && there.state !== 'CLOSED')
      this.wrongs.push(`CLOSED here while it was ${there.state} there`)
  }

  async #checkOrder(id: string): Promise<void> {
    const here = await this.home.order(id)
    assert.ok(here, 'an order was lost')
    assert.ok(atRest.includes(here.state), `order in ${here.state} after all is quiet`)
    assert.equal(here.state === 'CLOSED', this.deleted.has(id), `${here.state} at last`)
    const elsewhere = here.provider === 'site-b' ? this.home : this.away
    const { cloud } = here.provider === 'site-b' ? this.away : this.home
    checkInstance(here, cloud, this.lost.has(id))
    checkInstance({ ...here, state: 'CLOSED' }, elsewhere.cloud, this.lost.has(id))
    if (here.provider === 'site-b') await this.#checkAgreement(here)
  }

  async #checkAgreement(here: Order): Promise<void> {
    const there = await this.away.order(here.id)
    if (there) assert.equal(there.state, here.state, 'the sites do not agree')
    else assert.ok(here.state === 'CLOSED' || here.state === 'FAILED_ON_REQUEST', here.state)
    if (there) await this.#checkFailures(here.id)
  }

  /** What failed here has failed there: silence is no failure. */
  async #checkFailures(id: string): Promise<void> {
    const there = (await orderHistory(this.away.store.db, id)).map(({ state }) => state)
    for (const { state, message } of await orderHistory(this.home.store.db, id))
      if (state.startsWith('FAILED')) assert.ok(there.includes(state), `${state}: ${message}`)
  }

  #checkSnapshot({ name, told }: Snapshot): void {
    const made = this.images.filter((image) => image.name === name).length
    const possible = { done: [1], refused: [0], unknown: [0, 1] }
    assert.ok(possible[told].includes(made), `${made} snapshots were made, told: ${told}`)
  }
}

/** What users may be told when nothing is wrong with the sites. */
const expectedCodes = new Set([
  'instance_not_found',
  'unacceptable_operation',
  'unavailable_provider',
  'quota_exceeded',
  'plugin_failure',
  'timeout',
])

function checkInstance(
  { id, state }: Pick<Order, 'id' | 'state'>,
  cloud: ModelCloud,
  isLost: boolean,
) {
  const isRunning = ['FULFILLED', 'PAUSED', 'STOPPED'].includes(state)
  if (isRunning) assert.ok(cloud.instances.has(id), `${state} without an instance`)
  if (state === 'CLOSED' || state === 'FAILED_ON_REQUEST')
    assert.ok(!cloud.instances.has(id), `${state}, but its instance is there`)
  const made = cloud.made.filter((of) => of === id).length
  assert.ok(made <= 1 || isLost, 'two instances were made')
}
