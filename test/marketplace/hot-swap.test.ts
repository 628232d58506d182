import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runMarket, until } from './support/market-site.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'

const IN_FLIGHT = 64
const ONE_AND_A_SPARE = 2
const dies = 'for (const hoard = [];;) hoard.push(new Array(100_000).fill(hoard.length))'

const site = runMarket({
  publish: [
    vendorVersion({ version: '1.0.0' }),
    vendorVersion({ version: '1.1.0' }),
    vendorVersion({ version: '1.2.0', atCreate: `throw new Error('cannot even begin')` }),
    vendorVersion({
      version: '1.3.0',
      check: `throw new FogbowError('configuration_error', 'endpoint: nobody answers there')`,
    }),
    vendorVersion({ version: '1.4.0', atImages: dies }),
    vendorVersion({ version: '1.5.0', atImage: `if (id === 'deadly') ${dies}` }),
  ],
  settings: {
    vendor: { limits: { callsInFlight: 256, memoryMiB: 64 } },
    site: { isolation: { spares: 1 } },
  },
})
/** Orders of the first version, which live through everything that follows. */
const orders: string[] = []

test('64 calls in flight and all orders live through an upgrade, and the old version ends when it has answered', async () => {
  const { market } = site
  await market.install('1.0.0')
  for (let n = 0; n < 3; n++) orders.push(await market.order())
  await Promise.all(orders.map(market.ready))
  const before = await until(guests, ({ length }) => length === ONE_AND_A_SPARE)
  const held = Array.from({ length: IN_FLIGHT }, () => market.answeredBy('held'))
  const settled = Promise.allSettled(held)
  await until(inFlight, (calls) => calls === IN_FLIGHT)

  await market.install('1.1.0')

  assert.equal(await market.answeredBy(), '1.1.0', 'new calls go to the new version at once')
  const during = await guests()
  const areAlive = before.every((pid) => during.includes(pid))
  assert.ok(areAlive, 'the old version still has calls to answer')
  assert.equal(await market.answeredBy('release'), '1.1.0')
  const answers = await settled
  const lost = answers.filter(({ status }) => status === 'rejected')
  assert.deepEqual(lost, [])
  for (const answer of answers) assert.equal(answer.status === 'fulfilled' && answer.value, '1.0.0')
  await until(guests, (alive) => !before.every((pid) => alive.includes(pid)))

  await Promise.all(orders.map(market.ready))
  const later = await market.order()
  await market.ready(later)
  orders.push(later)
})

const unfit = {
  '1.2.0': /does not start as 'vendor': .*cannot even begin/,
  '1.3.0': /cannot work as 'vendor': endpoint: nobody answers there/,
  '1.4.0': /failed its trial at image\.getAllImages/,
}

for (const [version, why] of Object.entries(unfit))
  test(`${version} is refused with its reason, and what runs never stopped`, async () => {
    const { market } = site
    const [before] = await market.generations()
    const hash = (await market.plugin('vendor')).bundleHash
    const usage = await callsAnswered()
    await assert.rejects(market.install(version), { message: why })
    assert.equal((await market.generations())[0]?.number, before?.number)
    assert.equal((await market.plugin('vendor')).bundleHash, hash)
    assert.ok((await callsAnswered()) >= usage, 'its counters go on, so it was not restarted')
    assert.equal(await market.answeredBy(), '1.1.0')
    await Promise.all(orders.map(market.ready))
  })

test('a version that crashes in a loop after it took over is taken back by the site itself', async () => {
  const { market } = site
  const taken = await market.install('1.5.0')
  await until(
    async () => {
      await market.answeredBy('deadly').catch(() => {})
      return (await market.generations())[0]
    },
    (present) => (present?.number ?? 0) > taken.number,
  )
  const [present] = await market.generations()
  assert.equal(present?.by.id, 'site')
  assert.match(present?.by.reason ?? '', /crashed in a loop/)
  assert.equal(present?.plugins.find(({ name }) => name === vendorCloud)?.version, '1.1.0')
  await until(
    () => market.plugin('vendor'),
    ({ version, state }) => version === '1.1.0' && state === 'ready',
  )
  assert.equal(await market.answeredBy(), '1.1.0')
  await Promise.all(orders.map(market.ready))
  assert.deepEqual(await driftOfRunning(), [])
})

test('an administrator goes back to any earlier generation in one step', async () => {
  const { market, cli } = site
  const first = (await market.generations()).findLast(({ change }) => change.includes('@1.0.0'))
  const back = await cli(['plugin', 'rollback', String(first?.number), '--reason', 'as before'])
  assert.equal(back.code, 0, back.stderr)
  assert.match(back.stdout, /rollback to/)
  assert.equal(await market.answeredBy(), '1.0.0')
  await Promise.all(orders.map(market.ready))
})

async function inFlight(): Promise<number> {
  const report = (await site.market.plugin('vendor')) as unknown as { usage: { inFlight: number } }
  return report.usage.inFlight
}

async function callsAnswered(): Promise<number> {
  const report = (await site.market.plugin('vendor')) as unknown as { usage: { calls: number } }
  return report.usage.calls
}

async function driftOfRunning() {
  return (await site.market.drift()).filter(({ kind }) => kind === 'other version runs')
}

/** Processes of sandboxes that the site runs. */
async function guests(): Promise<string[]> {
  const { pid } = site.process.process
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  )
  return children.filter(isGuest)
}

function isGuest(pid: string): boolean {
  try {
    return /unshare|guest/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
  } catch {
    return false
  }
}
