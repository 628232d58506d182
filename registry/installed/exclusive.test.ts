import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../fixtures/packages.ts'
import { createExclusive } from './exclusive.ts'

/** Another process that holds the lock until it is killed. */
async function holder(t: TestContext, path: string) {
  const script = `
    import { createExclusive } from ${JSON.stringify(join(import.meta.dirname, 'exclusive.ts'))}
    await createExclusive(${JSON.stringify(path)})(() => {
      console.log('held')
      return new Promise(() => setInterval(() => {}, 1000))
    })`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script])
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

test('work is done one at a time in the order asked for, whatever fails', async (t) => {
  const exclusive = createExclusive(join(await temporaryFolder(t), 'lock'))
  const steps: string[] = []
  const work = (name: string) => async () => {
    steps.push(`${name} starts`)
    await new Promise(setImmediate)
    steps.push(`${name} ends`)
    if (name === 'a') throw new Error('a failed')
    return name
  }
  const [a, b] = await Promise.allSettled([exclusive(work('a')), exclusive(work('b'))])
  assert.deepEqual(steps, ['a starts', 'a ends', 'b starts', 'b ends'])
  assert.equal(a.status, 'rejected')
  assert.deepEqual(b, { status: 'fulfilled', value: 'b' })
})

test('a process that is killed while it works leaves no lock behind', async (t) => {
  const path = join(await temporaryFolder(t), 'lock')
  const other = await holder(t, path)
  let done = false
  const work = createExclusive(path)(async () => {
    done = true
  })
  await assert.rejects(
    createExclusive(path, 0)(async () => {}),
    {
      code: 'timeout',
      message: /Another process has been installing plugins/,
    },
  )
  assert.equal(done, false)
  other.kill('SIGKILL')
  await work
  assert.equal(done, true)
})
