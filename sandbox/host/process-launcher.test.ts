import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { after, test } from 'node:test'
import { setTimeout as turn } from 'node:timers/promises'
import { imageSpec } from '../fixtures/plugin-spec.ts'
import { runCode } from '../fixtures/run-code.ts'
import {
  detectIsolation,
  type LaunchedGuest,
  type ProcessIsolation,
  processLauncher,
  type SandboxSpec,
  startSandbox,
} from '../index.ts'

const isolation = await detectIsolation()
const launcher = processLauncher({ isolation })
const limits = { memoryMiB: 64 }
const stops: (() => unknown)[] = []
after(() => Promise.all(stops.map((stop) => stop())))

async function start(spec: SandboxSpec) {
  const sandbox = await startSandbox(spec, { launcher })
  stops.push(() => sandbox.stop())
  return sandbox
}

/** A process that runs `code` in place of the guest, with the host's end of its channels as `send` and `onText`. */
async function hostile(code: string): Promise<LaunchedGuest> {
  const program = `const { writeSync } = require('node:fs')
    const write = (bytes) => { for (let at = 0; at < bytes.length; ) { try { at += writeSync(3, bytes, at) } catch {} } }
    const frame = (text) => { const body = Buffer.from(text); const head = Buffer.alloc(4); head.writeUInt32BE(body.length); return Buffer.concat([head, body]) }
    setInterval(() => {}, 1000)
    ${code}`
  const instead: ProcessIsolation = {
    level: 'process',
    missing: [],
    hasStarter: false,
    commandLine: () => [process.execPath, '-e', program],
  }
  const guest = await processLauncher({ isolation: instead }).launch(limits)
  stops.push(() => guest.kill())
  return guest
}

function closeOf(guest: LaunchedGuest): Promise<[reason: string, broken: boolean]> {
  return new Promise((resolve) =>
    guest.transport.onClose((reason, broken = false) => resolve([reason, broken])),
  )
}

test('texts of any length and alphabet arrive whole', async () => {
  const sandbox = await start(imageSpec('return id.length'))
  for (const id of ['i', 'ü'.repeat(250), '名'.repeat(250), 'x'.repeat(255), '\u{1f511}']) {
    const image = await sandbox.call('image.getImage', [id, {}])
    assert.deepEqual(image, { id, name: `${id.length}`, size: 1, status: 'ACTIVE' })
  }
})

test('a megabyte of text outside of ASCII comes through in both directions', async () => {
  const text = '名é\u{1f511}x'.repeat(60_000)
  const host = { 'storage.get': (args: readonly unknown[]) => [args[0]] }
  const sandbox = await start(
    imageSpec(
      `const text = ${JSON.stringify(text)}; return (await host.storage.get(text)) === text`,
      {
        host,
      },
    ),
  )
  assert.equal(await runCode(sandbox), true)
})

test('a plugin that spins is gone within a second of being stopped', async () => {
  const sandbox = await start(imageSpec('while (true) {}'))
  const call = runCode(sandbox).catch(() => 'ended')
  await turn(50)
  const before = performance.now()
  await sandbox.stop()
  assert.equal(await call, 'ended')
  assert.ok(performance.now() - before < 1000)
  assert.equal((await sandbox.ended).zombie, undefined)
})

test('a plugin whose heap is full ends alone, and the site learns why', async () => {
  const memory = { ...imageSpec('').limits, memoryMiB: 96 }
  const sandbox = await start(
    imageSpec('return new Array(5e7).fill({}).length', { limits: memory }),
  )
  await assert.rejects(runCode(sandbox), { code: 'plugin_failure' })
  const end = await sandbox.ended
  assert.match(end.message, /its heap was full|MiB of memory|engine|forbidden memory/)
})

test('array buffers beyond what the process may hold are refused to the plugin', {
  skip: isolation.missing.length > 0 && 'no limits here',
}, async () => {
  const sandbox = await start(
    imageSpec(
      'try { return new ArrayBuffer(2 ** 33).byteLength } catch (error) { return error.name }',
    ),
  )
  assert.equal(await runCode(sandbox), 'RangeError')
})

test('the processor time and the memory of a guest are known without its help', async () => {
  const sandbox = await start(
    imageSpec(
      'globalThis.kept = new Uint8Array(40 * 2 ** 20).fill(1); const end = Date.now() + 100; while (Date.now() < end); return 1',
    ),
  )
  await runCode(sandbox)
  sandbox.stats()
  await turn(10)
  const { cpuMs, heapBytes } = sandbox.stats()
  assert.ok(cpuMs >= 30, `${cpuMs} ms`)
  assert.ok(heapBytes > 40 * 2 ** 20, `${heapBytes} bytes`)
})

for (const [signal, words] of [
  ['SIGSEGV', /forbidden memory access \(SIGSEGV\)/],
  ['SIGABRT', /aborted by its engine \(SIGABRT\)/],
  ['SIGTRAP', /check of its engine \(SIGTRAP\)/],
  ['SIGKILL', /it was killed \(SIGKILL\)/],
] as const) {
  test(`a process that ends by ${signal} is reported in words`, async () => {
    const guest = await hostile(`process.kill(process.pid, '${signal}')`)
    assert.match(await guest.exited, words)
  })
}

test('what a dying process printed first is told', async () => {
  const guest = await hostile("console.error('no room'); process.exit(7)")
  assert.equal(await guest.exited, 'its process ended with code 7: no room')
})

test('a process that cannot be started is a reason like any other', async () => {
  const nowhere: ProcessIsolation = {
    level: 'process',
    missing: [],
    hasStarter: false,
    commandLine: () => ['/nonexistent/node'],
  }
  const guest = await processLauncher({ isolation: nowhere }).launch(limits)
  assert.match(await guest.exited, /could not be started/)
  assert.equal(await guest.kill(), 'dead')
})

test('a machine that does not isolate is refused', async () => {
  const leaky = { ...isolation, refusal: 'Processes for plugins can reach files' }
  await assert.rejects(processLauncher({ isolation: leaky }).launch(limits), {
    code: 'configuration_error',
    message: /can reach files/,
  })
})

test('a frame that announces more than is allowed breaks the channel, and nothing is kept for it', async () => {
  const guest = await hostile('write(Buffer.from([255, 255, 255, 255, 1]))')
  const [reason, broken] = await closeOf(guest)
  assert.match(reason, /a frame of 4294967295 bytes is longer/)
  assert.equal(broken, true)
})

test('half a frame waits for its other half', async () => {
  const guest = await hostile(
    'const bytes = frame(\'["whole"]\'); write(bytes.subarray(0, 3)); setTimeout(() => { write(bytes.subarray(3, 7)); setTimeout(() => write(bytes.subarray(7)), 20) }, 20)',
  )
  assert.equal(await new Promise((resolve) => guest.transport.onMessage(resolve)), '["whole"]')
})

test('half a frame and then the end is an end', async () => {
  const guest = await hostile("write(frame('[]').subarray(0, 5)); process.exit(0)")
  assert.deepEqual(await closeOf(guest), ['its process ended with code 0', false])
})

test('bytes that are no text arrive as a text that is no JSON', async () => {
  const guest = await hostile('write(Buffer.from([0, 0, 0, 3, 0xff, 0xfe, 0x00]))')
  const text = await new Promise((resolve) => guest.transport.onMessage(resolve))
  assert.throws(() => JSON.parse(text as string))
})

test('an endless stream of tiny frames leaves the site its time for other work', async () => {
  const guest = await hostile(
    "const many = Buffer.concat(Array(20_000).fill(frame('[]'))); const more = () => { write(many); setImmediate(more) }; more()",
  )
  let frames = 0
  guest.transport.onMessage(() => frames++)
  let longestMs = 0
  let last = performance.now()
  const until = last + 1000
  while (last < until) {
    await turn(1)
    longestMs = Math.max(longestMs, performance.now() - last)
    last = performance.now()
  }
  assert.ok(frames > 1000)
  assert.ok(longestMs < 200, `${longestMs} ms`)
})

test('a guest that reads nothing is given up before the site holds more than the plugin may', async () => {
  const guest = await hostile('')
  const closed = closeOf(guest)
  const text = JSON.stringify('x'.repeat(2 ** 20))
  for (let sent = 0; sent < 70; sent++) guest.transport.send(text)
  assert.deepEqual(await closed, ['it does not read what it is sent', false])
})

test('a guest that prints without end neither fills the memory of the site nor its output', async () => {
  const guest = await hostile(
    "process.stdout.on('error', () => write(frame('[\"refused\"]'))); const more = () => process.stdout.write('x'.repeat(65536), () => setImmediate(more)); more()",
  )
  assert.equal(await new Promise((resolve) => guest.transport.onMessage(resolve)), '["refused"]')
})

test('a process that closes its channel and lives on is given up', async () => {
  const guest = await hostile("require('node:fs').closeSync(3)")
  assert.deepEqual(await closeOf(guest), ['it closed its channel', false])
})

test('no guest outlives a site that was killed, not even one that spins', {
  skip: !existsSync('/proc/self/stat') && 'no /proc to look at',
}, async () => {
  const site = spawn(process.execPath, ['--input-type=module', '-e', dyingSite], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const pids = await guestsOf(site)
  assert.equal(pids.filter(isAlive).length, pids.length)
  site.kill('SIGKILL')
  const deadline = performance.now() + 5000
  while (pids.some(isAlive) && performance.now() < deadline) await turn(20)
  assert.deepEqual(pids.filter(isAlive), [])
})

const dyingSite = `
import { detectIsolation, processLauncher, startSandbox } from '../index.ts'
import { imageSpec } from '../fixtures/plugin-spec.ts'
import { readFileSync } from 'node:fs'
const launcher = processLauncher({ isolation: await detectIsolation() })
await startSandbox(imageSpec('return 1'), { launcher })
const spinning = await startSandbox(imageSpec('while (true) {}'), { launcher, watch: { unresponsiveAfterMs: 60_000 } })
void spinning.call('image.getImage', ['i', {}])
const childrenOf = (pid) => readFileSync('/proc/' + pid + '/task/' + pid + '/children', 'latin1').trim().split(' ').filter(Boolean)
const children = childrenOf(process.pid)
setTimeout(() => console.log(JSON.stringify([...children, ...children.flatMap(childrenOf)])), 100)
`

function guestsOf(site: ChildProcess): Promise<number[]> {
  return new Promise((resolve, reject) => {
    site.stdout?.once('data', (text) => resolve(JSON.parse(String(text)).map(Number)))
    site.on('exit', () => reject(new Error('the site ended by itself')))
  })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
