import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { openSqliteStore, type Store } from '../store/index.ts'
import { ruleDeletion, ruleMaking, snapshotTaking } from './cloud-effects.ts'
import { createEffects } from './once.ts'
import type { Rule } from './providers.ts'

const SETTLE_MS = 30_000
const rule = { protocol: 'TCP', direction: 'IN', portFrom: 22, portTo: 22, cidr: '10.0.0.0/8' }

/** A cloud that does what it is asked, and whose answers may be lost, or come to nothing. */
class Cloud {
  images: { id: string; name: string }[] = [{ id: 'i0', name: 's' }]
  rules: Rule[] = [{ id: 'r0', ...rule }]
  asked = 0
  /** `late`: nothing is done yet, and nothing is answered. */
  weather: 'fine' | 'deaf' | 'late' | 'refusing' = 'fine'

  take = () => this.#do(() => this.images.push({ id: `i${this.asked}`, name: 's' }))
  make = async () => {
    await this.#do(() => this.rules.push({ id: `r${this.asked}`, ...rule }))
    return `r${this.asked}`
  }
  remove = () =>
    this.#do(() => {
      this.rules = this.rules.filter(({ id }) => id !== 'r0')
    })

  async #do(effect: () => unknown): Promise<void> {
    if (this.weather === 'refusing') throw new FogbowError('quota_exceeded', 'no room')
    this.asked += 1
    if (this.weather === 'late') throw new FogbowError('timeout', 'no answer')
    effect()
    if (this.weather === 'deaf') throw new FogbowError('timeout', 'the answer was lost')
  }
}

let store: Store
let cloud: Cloud
let time: number
const now = () => time
const attempt = (scope = 'one') =>
  createEffects({ store, now, settleMs: () => SETTLE_MS }).of(scope)
const images = async () => cloud.images
const rules = async () => cloud.rules
const snapshot = () => attempt()(snapshotTaking('s', { images, take: cloud.take }))
const newRule = () => attempt()(ruleMaking(rule, { rules, make: cloud.make }))
const noRule = () => attempt()(ruleDeletion('r0', 'network n', { rules, remove: cloud.remove }))

beforeEach(async () => {
  store = await openSqliteStore(':memory:')
  cloud = new Cloud()
  time = 1_700_000_000_000
})

test('what was done although nobody heard of it is found, and not done again', async () => {
  cloud.weather = 'deaf'
  await assert.rejects(snapshot(), { code: 'timeout' })
  await snapshot()
  assert.equal(cloud.images.length, 2)
})

test('what an earlier one of the same name left is not taken for it', async () => {
  await snapshot()
  await attempt('two')(snapshotTaking('s', { images, take: cloud.take }))
  assert.deepEqual(
    cloud.images.map(({ id }) => id),
    ['i0', 'i1', 'i2'],
  )
})

test('while it may still show it is not asked for again, and afterwards it is', async () => {
  cloud.weather = 'late'
  await assert.rejects(snapshot(), { code: 'timeout' })
  cloud.weather = 'fine'
  time += 300_000 + SETTLE_MS - 1
  await assert.rejects(snapshot(), { outcome: 'unknown', message: /may still show/ })
  assert.equal(cloud.asked, 1)
})

test('what did not come in its time is asked for again', async () => {
  cloud.weather = 'late'
  await assert.rejects(newRule(), { code: 'timeout' })
  cloud.weather = 'fine'
  const patient = createEffects({ store, now, settleMs: () => SETTLE_MS }).of('one')
  time += SETTLE_MS
  assert.equal(await patient(ruleMaking(rule, { rules, make: cloud.make })), 'r2')
  assert.equal(cloud.asked, 2)
})

test('a call that was under way when the site died may take effect until things have settled', async () => {
  cloud.weather = 'late'
  await assert.rejects(newRule(), { code: 'timeout' })
  time += 24 * 3_600_000
  await assert.rejects(newRule(), { message: /may still show/ })
})

test('where the cloud cannot tell it is never asked for again', async () => {
  cloud.weather = 'deaf'
  const blind = snapshotTaking('s', { take: cloud.take })
  await assert.rejects(attempt()(blind), { code: 'timeout' })
  time += 24 * 3_600_000
  await assert.rejects(attempt()(blind), { outcome: 'unknown', message: /look before you ask/ })
  assert.equal(cloud.asked, 1)
})

test('a rule whose answer was lost is found with its id', async () => {
  cloud.weather = 'deaf'
  await assert.rejects(newRule(), { code: 'timeout' })
  assert.equal(await newRule(), 'r1')
  assert.equal(cloud.rules.length, 2)
})

test('a rule that an earlier attempt deleted is deleted, one that never was is not found', async () => {
  cloud.weather = 'deaf'
  await assert.rejects(noRule(), { code: 'timeout' })
  await noRule()
  assert.equal(cloud.asked, 1)
  const other = ruleDeletion('r9', 'network n', { rules, remove: cloud.remove })
  await assert.rejects(attempt('two')(other), { code: 'instance_not_found', message: /network n/ })
})

test('a deletion that came to nothing is asked for again at once', async () => {
  cloud.weather = 'late'
  await assert.rejects(noRule(), { code: 'timeout' })
  cloud.weather = 'fine'
  await noRule()
  assert.deepEqual(cloud.rules, [])
})

test('what was refused leaves nothing to wait for', async () => {
  cloud.weather = 'refusing'
  await assert.rejects(snapshot(), { code: 'quota_exceeded' })
  cloud.weather = 'fine'
  await snapshot()
  assert.equal(cloud.asked, 1)
})
