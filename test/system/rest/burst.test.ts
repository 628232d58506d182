import assert from 'node:assert/strict'
import { test } from 'node:test'
import { siteConfig } from '../support/site-process.ts'
import { clear, ordersOf, runSite } from './run-site.ts'

const AT_ONCE = 2
const ORDERS = 150

const site = runSite({
  config: siteConfig({
    emulated: { quota: { volumes: ORDERS / 2 } },
    site: { clouds: { emulated: { plugin: 'emulated', mapper: 'account', concurrency: AT_ONCE } } },
  }),
})

test('of many more orders at once than are worked on at once none is forgotten, neither when made nor when deleted', async () => {
  const answers = await Promise.all(
    Array.from({ length: ORDERS }, () => site.admin.post('/ras/volumes', { size: 1 })),
  )
  const ids = answers.map(({ body }) => (body as { id: string }).id)
  for (const id of ids) await site.admin.until(`/ras/volumes/${id}`, 'READY', 'ERROR')
  const { body } = await site.admin.get('/ras/volumes/status?state=READY')
  assert.equal((body as unknown[]).length, ORDERS / 2)
  await clear(site.admin)
  assert.deepEqual(await ordersOf(site.admin), [])
})

test('an order made while all hands are busy with deletions is worked on as well', async () => {
  const make = () =>
    Promise.all(Array.from({ length: 40 }, () => site.admin.create('/ras/volumes', { size: 1 })))
  const first = await make()
  for (const id of first) await site.admin.until(`/ras/volumes/${id}`, 'READY')
  const [second] = await Promise.all([
    make(),
    ...first.map((id) => site.admin.delete(`/ras/volumes/${id}`)),
  ])
  for (const id of second) await site.admin.until(`/ras/volumes/${id}`, 'READY')
  for (const id of first) await site.admin.until(`/ras/volumes/${id}`, 'GONE')
  await clear(site.admin)
  assert.deepEqual(await ordersOf(site.admin), [])
})
