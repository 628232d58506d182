import assert from 'node:assert/strict'
import { test } from 'node:test'
import { probeWorkerIsolation, tryToReach } from './probe-worker.ts'

test('a thread with the options of the worker tier reaches nothing', async () => {
  assert.deepEqual(await tryToReach(), [])
  await probeWorkerIsolation()
})

test('the same attempts succeed in a thread without these options, so they prove something', async () => {
  const reached = await tryToReach([])
  assert.deepEqual(reached.sort(), [
    'addons',
    'child processes',
    'files',
    'nested workers',
    'sockets',
  ])
})

test('permissions without a program of its own leave a thread the working directory, which the probe notices', async () => {
  assert.deepEqual(await tryToReach(['--permission']), ['files'])
})
