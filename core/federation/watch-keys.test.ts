import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createVirtualTime } from './testing/virtual-time.ts'
import { openSiteKeys } from './trust/index.ts'
import { watchKeys } from './watch-keys.ts'

test('a site that runs takes the keys that were changed beside it, and keeps its own when they cannot be read', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-keys-'))
  t.after(() => rm(folder, { recursive: true }))
  const [keys, administrator] = [await openSiteKeys(folder), await openSiteKeys(folder)]
  const clock = createVirtualTime()
  const lines: string[] = []
  const note = (_fields: object, line: string) => void lines.push(line)
  const log = { info: note, warn: note, error: note }
  let looked = Promise.withResolvers<unknown>()
  const reread = () => keys.reread().finally(() => looked.resolve(undefined))
  const end = watchKeys({ keys: Object.assign(Object.create(keys), { reread }), clock, log })
  const look = async () => {
    looked = Promise.withResolvers()
    await clock.pass(5000)
    await looked.promise
    await clock.pass(0)
  }

  await administrator.announceNext()
  await look()
  assert.deepEqual(keys.announced, administrator.announced)
  await administrator.takeNext()
  await look()
  assert.equal(keys.signing.kid, administrator.signing.kid)
  assert.deepEqual(lines, ['this site changed its keys', 'this site changed its keys'])

  await writeFile(join(folder, 'keys', 'federation.json'), '{')
  await look()
  await look()
  assert.equal(keys.signing.kid, administrator.signing.kid)
  assert.deepEqual(lines.slice(2), ['changed keys could not be read'], 'said once')

  end()
  await clock.pass(60_000)
})
