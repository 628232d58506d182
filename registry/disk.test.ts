import assert from 'node:assert/strict'
import { promises as fs } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { alice, applied, installed, newMarketplace } from './fixtures/marketplace.ts'
import { answerOf, newRegistry, packed, plugin, temporaryFolder } from './fixtures/packages.ts'
import { setReadOnly, smallDisk } from './fixtures/small-disk.ts'

const needsRoot = 'needs the right to mount'

async function tarballOf(t: TestContext, answer: string, version: string): Promise<string> {
  const path = join(await temporaryFolder(t), 'plugin.tgz')
  await writeFile(path, packed(plugin(answer, { version })))
  return path
}

/** Lets so many changes to the file system happen, and fails every one after those as a full disk does. */
function fillAfter(t: TestContext, changes: number): { failed: () => boolean; end: () => void } {
  let left = changes
  const full = () => {
    left -= 1
    if (left < 0) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
  }
  const { open, mkdir, rename } = fs
  const mocks = [
    t.mock.method(fs, 'open', async (...args: Parameters<typeof open>) => {
      if (args[1] === 'w') full()
      return open(...args)
    }),
    t.mock.method(fs, 'mkdir', async (...args: Parameters<typeof mkdir>) => {
      full()
      return mkdir(...args)
    }),
    t.mock.method(fs, 'rename', async (...args: Parameters<typeof rename>) => {
      full()
      return rename(...args)
    }),
  ]
  syncBuiltinESMExports()
  const end = () => {
    for (const { mock } of mocks) mock.restore()
    syncBuiltinESMExports()
  }
  return { failed: () => left < 0, end }
}

test('a disk that is full at any step of applying leaves what was, and the same plan is applied later', async (t) => {
  const { marketplace, directory } = await newMarketplace(t)
  await installed(marketplace, await tarballOf(t, 'old', '1.0.0'))
  const { registry } = await newRegistry(t, { directory })
  const source = await tarballOf(t, 'new', '2.0.0')
  const plan = await marketplace.plan({ action: 'install', source }, alice)
  let steps = 0
  for (let isFull = true; isFull; steps += 1) {
    const disk = fillAfter(t, steps)
    const outcome = await applied(marketplace, plan).catch((error: Error) => error)
    disk.end()
    isFull = outcome instanceof Error
    if (!isFull) break
    assert.match(String(outcome), /failed, nothing was changed: ENOSPC/)
    assert.equal(await answerOf(registry), 'old', `after ${steps} steps`)
    assert.equal((await marketplace.current()).number, 1)
  }
  assert.ok(steps > 4, `only ${steps} steps could fail`)
  assert.equal(await answerOf(registry), 'new')
})

test('a full disk while planning leaves what was, and says so', async (t) => {
  const disk = await smallDisk(t, 256)
  if (disk === undefined) return t.skip(needsRoot)
  const directory = join(disk, 'plugins')
  const { marketplace } = await newMarketplace(t, { directory })
  await installed(marketplace, await tarballOf(t, 'old', '1.0.0'))
  await writeFile(join(disk, 'ballast'), Buffer.alloc(64 * 1024))
  const source = await tarballOf(t, 'x'.repeat(250 * 1024), '2.0.0')
  const request = { action: 'install', source } as const
  await assert.rejects(marketplace.plan(request, alice), {
    code: 'internal_error',
    message: /^Planning to install failed, nothing was changed: ENOSPC/,
  })
  const { registry } = await newRegistry(t, { directory })
  assert.equal(await answerOf(registry), 'old')
  await installed(marketplace, await tarballOf(t, 'smaller', '2.0.0'))
  assert.equal(await answerOf(registry), 'smaller')
})

test('in a folder that cannot be written plugins are read, and every change is refused with the reason', async (t) => {
  const disk = await smallDisk(t, 1024)
  if (disk === undefined) return t.skip(needsRoot)
  const directory = join(disk, 'plugins')
  const { marketplace } = await newMarketplace(t, { directory })
  await installed(marketplace, await tarballOf(t, 'old', '1.0.0'))
  const source = await tarballOf(t, 'new', '2.0.0')
  const plan = await marketplace.plan({ action: 'install', source }, alice)
  const lock = await readFile(join(directory, 'plugins.lock.json'), 'utf8')
  setReadOnly(disk, true)
  const { registry } = await newRegistry(t, { directory })
  assert.equal(await answerOf(registry), 'old')
  assert.deepEqual(await marketplace.plans(), [plan])
  for (const change of [
    () => applied(marketplace, plan),
    () => marketplace.plan({ action: 'install', source }, alice),
    () => registry.install(source),
    () => registry.remove('vendor-plugin'),
  ]) {
    await assert.rejects(change(), {
      code: 'internal_error',
      message: /failed, nothing was changed: .*(read-only|readonly|unable to open)/i,
    })
  }
  assert.equal(await readFile(join(directory, 'plugins.lock.json'), 'utf8'), lock)
  setReadOnly(disk, false)
  await applied(marketplace, plan)
  assert.equal(await answerOf(registry), 'new')
})
