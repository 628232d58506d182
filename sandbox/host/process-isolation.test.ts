import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { imageSpec } from '../fixtures/plugin-spec.ts'
import { runCode } from '../fixtures/run-code.ts'
import { detectIsolation, findCommands, processLauncher, startSandbox } from '../index.ts'
import { nodeArguments } from './node-arguments.ts'
import { probeProcess } from './probe-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'fogbow-commands-'))
// Some walls are tried from an account without rights.
chmodSync(folder, 0o755)
after(() => rmSync(folder, { recursive: true }))
const limits = { memoryMiB: 64 }

/** A program that fails as the real one does where it is not allowed to. */
function refusing(message: string): string {
  const path = join(folder, `refusing-${message.length}`)
  writeFileSync(path, `#!/bin/sh\necho '${message}' >&2\nexit 1\n`)
  chmodSync(path, 0o755)
  return path
}

async function runsPlugins(isolation: Awaited<ReturnType<typeof detectIsolation>>): Promise<void> {
  const sandbox = await startSandbox(imageSpec('return 1'), {
    launcher: processLauncher({ isolation }),
  })
  assert.equal(sandbox.level, isolation.level)
  assert.equal(await runCode(sandbox), 1)
  await sandbox.stop()
}

test('a process without any wall reaches all that the probe tries, so the probe proves something', async () => {
  const { reached } = await probeProcess((args) => [process.execPath, ...args])
  assert.deepEqual(reached.toSorted(), [
    'addons',
    'child processes',
    'files',
    'local sockets',
    'memory without limit',
    'signals to the site',
    'sockets',
    "the site's environment",
  ])
})

test("threads are denied by Node's permissions, and would be reached if they were granted", async () => {
  const granted = await probeProcess((args) => [
    process.execPath,
    '--permission',
    '--allow-worker',
    ...args,
  ])
  assert.ok(granted.reached.includes('threads'))
  const denied = await probeProcess((args) => [process.execPath, ...nodeArguments, ...args])
  assert.ok(!denied.reached.includes('threads'))
})

test('a process with everything that this machine has reaches nothing', async () => {
  const isolation = await detectIsolation()
  const { reached, failure } = await probeProcess((args) =>
    isolation.commandLine([...nodeArguments, ...args], limits),
  )
  assert.equal(failure, undefined)
  if (isolation.missing.length === 0) assert.deepEqual(reached, [])
  assert.equal(isolation.refusal, undefined)
})

test("where namespaces hold, they hold without Node's permissions as well", async (t) => {
  const isolation = await detectIsolation()
  if (isolation.missing.length > 0) return t.skip('not all walls are here')
  const { reached } = await probeProcess((args) => isolation.commandLine(args, limits))
  for (const what of ['files', 'sockets', 'local sockets', 'signals to the site'] as const)
    assert.ok(!reached.includes(what), what)
})

test('without util-linux the level is process, and it is said what to install', async () => {
  const isolation = await detectIsolation({ commands: {} })
  assert.equal(isolation.level, 'process')
  assert.equal(isolation.refusal, undefined)
  assert.ok(isolation.missing.length >= 4)
  assert.match(isolation.missing.join('\n'), /namespaces .*unshare not found: install util-linux/)
  assert.deepEqual(isolation.commandLine(['-v'], limits), [process.execPath, '-v'])
  await runsPlugins(isolation)
})

test('where user namespaces are not allowed the other walls stay, and it is said how to allow them', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux has them')
  const unshare = refusing('unshare: unshare failed: Operation not permitted')
  const isolation = await detectIsolation({ commands: { ...findCommands(), unshare } })
  assert.equal(isolation.level, 'process')
  const said = isolation.missing.join('\n')
  assert.match(said, /Operation not permitted; allow user namespaces: sysctl/)
  assert.match(said, /a file system without any file of this machine \(it needs namespaces\)/)
  await runsPlugins(isolation)
})

test('where nothing may be mounted the level stays, and the files are denied by Node alone', async (t) => {
  if ((await detectIsolation()).level !== 'process+ns') return t.skip('no namespaces here')
  const mount = refusing('mount: permission denied')
  const isolation = await detectIsolation({ commands: { ...findCommands(), mount } })
  assert.equal(isolation.level, 'process+ns')
  assert.deepEqual(isolation.missing, [
    'a file system without any file of this machine (mount: permission denied)',
  ])
  await runsPlugins(isolation)
})

test('a program that does not make the wall it promises is not believed', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux has them')
  const path = join(folder, 'prlimit')
  writeFileSync(path, '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n')
  chmodSync(path, 0o755)
  const isolation = await detectIsolation({ commands: { prlimit: path } })
  assert.match(isolation.missing.join('\n'), /a process behind it reached memory without limit/)
})

test('processes that do not come up at all are refused with the reason', async () => {
  const { failure } = await probeProcess(() => [process.execPath, '--no-such-option'])
  assert.match(failure ?? '', /no-such-option/)
})
