import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../fixtures/end-with-zombie.ts', import.meta.url))

test('a process with a thread that cannot be stopped ends by itself, with its own exit code', async (t) => {
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'inherit', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const [code, signal] = await once(child, 'exit')
  assert.deepEqual([code, signal], [7, null])
})
