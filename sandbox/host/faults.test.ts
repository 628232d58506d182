import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as turn } from 'node:timers/promises'
import { createManualClock } from '../fixtures/manual-clock.ts'
import { imageSpec } from '../fixtures/plugin-spec.ts'
import { inEachTier } from '../fixtures/tiers.ts'
import {
  defaultLimits,
  type PluginLogLine,
  type Sandbox,
  type SandboxSpec,
  startSandbox,
  type WatchSettings,
} from '../index.ts'

const started: Sandbox[] = []
after(() => Promise.all(started.map((sandbox) => sandbox.stop())))

const watch: Partial<WatchSettings> = {
  tickMs: 10,
  pingEveryMs: 50,
  unresponsiveAfterMs: 1000,
  quietTickMs: 50,
}

const ask = (sandbox: Sandbox) => sandbox.call('image.getImage', ['i-1', {}])

async function run(sandbox: Sandbox): Promise<unknown> {
  return JSON.parse(((await ask(sandbox)) as { name: string }).name)
}

const interruptible = [
  'Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)',
  'Array.prototype.reverse.call({ length: 2 ** 53 - 1 })',
  'const sparse = []; sparse[2 ** 32 - 2] = 1; sparse.indexOf(2)',
  'Array.prototype.forEach.call({ length: 2 ** 53 - 1 }, () => {})',
  'Array.prototype.sort.call({ length: 2 ** 53 - 1 })',
  'Array.prototype.slice.call({ length: 2 ** 53 - 1 })',
  'Array.prototype.indexOf.call(new Proxy([], { get: (list, key) => key === "length" ? 2 ** 53 - 1 : list[key] }), 1)',
  '{ let nested = [[]]; for (let n = 0; n < 60; n++) nested = [nested, nested]; nested.flat(Infinity) }',
  '/(a+)+$/.test("a".repeat(40) + "!")',
]
await inEachTier((launcher) => {
  async function start(spec: SandboxSpec): Promise<Sandbox> {
    const sandbox = await startSandbox(spec, { launcher, watch })
    started.push(sandbox)
    return sandbox
  }

  test('a plugin that spins is stopped, its calls are answered and its neighbour is not disturbed', async () => {
    const neighbour = await start(imageSpec("return 'alive'", { name: 'neighbour' }))
    const sandbox = await start(imageSpec('while (true) {}'))
    const calls = [ask(sandbox), ask(sandbox)]
    const during = run(neighbour)
    for (const call of calls) {
      await assert.rejects(call, {
        code: 'plugin_failure',
        message: /^Plugin 'sample' was stopped: it held its thread for \d+ ms/,
      })
    }
    assert.equal((await sandbox.ended).cause, 'unresponsive')
    assert.equal(await during, 'alive')
    assert.equal(await run(neighbour), 'alive')
  })

  test('a plugin that spins after its last answer is stopped', async () => {
    const sandbox = await start(imageSpec('setTimeout(() => { while (true) {} }, 20); return 1'))
    assert.equal(await run(sandbox), 1)
    assert.equal((await sandbox.ended).cause, 'unresponsive')
  })

  test('a plugin whose timers are pending is watched closely as soon as it is called', async () => {
    const spec = imageSpec(
      "if (id === 'spin') while (true) {}; setInterval(() => {}, 60_000); return 1",
    )
    const sandbox = await startSandbox(spec, {
      launcher,
      watch: { ...watch, quietTickMs: 3_600_000 },
    })
    started.push(sandbox)
    assert.equal(await run(sandbox), 1)
    await turn(150)
    await assert.rejects(sandbox.call('image.getImage', ['spin', {}]), /held its thread/)
  })

  test('endless microtasks are stopped', async () => {
    const sandbox = await start(
      imageSpec('const again = () => Promise.resolve().then(again); again(); return 1'),
    )
    await ask(sandbox).catch(() => {})
    assert.notEqual((await sandbox.ended).cause, 'stopped')
  })

  test('a plugin that only waits is left alone, however long', async () => {
    const sandbox = await start(imageSpec('await host.clock.sleep(700); return 1'))
    assert.equal(await run(sandbox), 1)
  })

  test('a plugin that fills its heap is stopped before the process suffers', async () => {
    const limits = { ...defaultLimits, memoryMiB: 96 }
    const body = `const kept = []
    while (true) { for (let n = 0; n < 20000; n++) kept.push({ n, text: 'x' + n }); await null; await host.clock.sleep(1) }`
    const sandbox = await start(imageSpec(body, { limits }))
    await assert.rejects(ask(sandbox), {
      code: 'plugin_failure',
      message: /MiB of memory, 96 are allowed/,
    })
    assert.equal((await sandbox.ended).cause, 'memory')
  })

  test('array buffers count as memory', async () => {
    const limits = { ...defaultLimits, memoryMiB: 96 }
    const body =
      'const kept = []; while (true) { kept.push(new Uint8Array(1048576).fill(1)); await host.clock.sleep(1) }'
    const sandbox = await start(imageSpec(body, { limits }))
    await assert.rejects(ask(sandbox), { message: /MiB/ })
    assert.equal((await sandbox.ended).cause, 'memory')
  })

  for (const code of interruptible) {
    test(`no thread is lost to ${code}`, async () => {
      const sandbox = await start(imageSpec(`${code}; return 1`))
      await assert.rejects(ask(sandbox), { code: 'plugin_failure' })
      const end = await sandbox.ended
      assert.notEqual(end.cause, 'stopped')
      assert.equal(end.zombie, undefined)
      assert.equal(launcher.zombies, 0)
    })
  }

  test('texts beyond 16 MiB characters are refused where built-ins would work on them at once', async () => {
    const attempts = [
      "'x'.repeat(2 ** 25)",
      "'x'.padEnd(2 ** 25)",
      "'x'.repeat(2 ** 24).concat('x')",
      "'x'.repeat(2 ** 20).replaceAll('', 'y'.repeat(64))",
      'String.raw({ raw: { length: 2 ** 32 } })',
      "(() => { let text = 'x'; while (text.length < 2 ** 25) text += text; return text.split('') })()",
    ]
    const body = attempts.map(
      (attempt) =>
        `(() => { try { ${attempt}; return 'done' } catch (error) { return error.name } })()`,
    )
    const sandbox = await start(imageSpec(`return [${body.join()}]`))
    assert.deepEqual(
      await run(sandbox),
      attempts.map(() => 'RangeError'),
    )
  })

  test('an error in a timer and a rejection that nobody handles are logged, and the plugin lives on', async () => {
    const lines: PluginLogLine[] = []
    const sandbox = await start(
      imageSpec(
        `setTimeout(() => { throw new Error('late') }, 1)
       Promise.reject(new Error('lost'))
       await host.clock.sleep(20)
       return 1`,
        { onLog: (line) => lines.push(line) },
      ),
    )
    assert.equal(await run(sandbox), 1)
    const messages = lines.map((line) => `${line.level} ${line.message}`).sort()
    assert.deepEqual(messages, [
      'error A timer failed: Error: late',
      'error Nobody handled: Error: lost',
    ])
  })

  test('a flood of host calls is cut off at the credit', async () => {
    let served = 0
    const host = {
      'storage.get': () => {
        served++
        return new Promise(() => {})
      },
    }
    const sandbox = await start(
      imageSpec(
        `let refused = 0
       for (let n = 0; n < 2000; n++) host.storage.get('k').catch((error) => { if (error.code === 'too_many_requests') refused++ })
       await host.clock.sleep(5)
       return refused`,
        { host },
      ),
    )
    assert.equal(await run(sandbox), 2000 - defaultLimits.hostCallsInFlight)
    assert.equal(served, defaultLimits.hostCallsInFlight)
  })

  test('a flood of log lines is cut off at a megabyte', async () => {
    let characters = 0
    const onLog = (line: PluginLogLine) => {
      characters += line.message.length
    }
    const sandbox = await start(
      imageSpec("for (let n = 0; n < 20000; n++) console.log('x'.repeat(2000)); return 1", {
        onLog,
      }),
    )
    assert.equal(await run(sandbox), 1)
    assert.ok(characters > 500_000 && characters <= 1_048_576)
  })

  test('at most 10,000 timers may be pending', async () => {
    const sandbox = await start(
      imageSpec(
        'let made = 0; try { for (;;) { setTimeout(() => {}, 60000); made++ } } catch (error) { return [made, error.name] }',
      ),
    )
    assert.deepEqual(await run(sandbox), [10_000, 'RangeError'])
  })

  test('a sandbox that is stopped answers every call it owes', async () => {
    const sandbox = await start(imageSpec('await new Promise(() => {})'))
    const calls = Array.from({ length: 100 }, () => ask(sandbox))
    const settled = Promise.allSettled(calls)
    await sandbox.stop()
    for (const result of await settled)
      assert.equal(result.status === 'rejected' && result.reason.code, 'plugin_failure')
  })

  test('nothing is due any more when a sandbox has been idle for a while', async () => {
    const clock = createManualClock()
    const sandbox = await startSandbox(imageSpec('return 1'), { launcher, clock })
    started.push(sandbox)
    assert.equal(await run(sandbox), 1)
    for (let tries = 0; tries < 100 && clock.next !== undefined; tries++) {
      clock.advance(1000)
      await turn(1)
    }
    assert.equal(clock.next, undefined)
  })
})
