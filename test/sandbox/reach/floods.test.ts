import assert from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'node:test'
import { asFogbowError } from '@fogbow/plugin-sdk'
import type { PluginLogLine, Sandbox } from '@fogbow/sandbox'
import { bodySpec, runBody, withPlugin } from '../support/hostile-plugin.ts'
import { withRawGuests } from '../support/raw-guest.ts'

const kinds = ['federationToLocalMapper']
/** Answers calls; for a call by `strike` it floods first. */
const flooding = (script: string) => `
  offer(['federationToLocalMapper.getToken'])
  receive(([type, id, method, args]) => {
    if (type !== 0 || method === 'load') return
    if (args[0].id === 'strike') { ${script} }
    send(JSON.stringify([[1, id, { result: '"honest"' }]]))
  })`

await withRawGuests((tier) => {
  /** Answers of a neighbour, and the host's own turns, while a guest floods. */
  async function whileFlooding(script: string, lines: PluginLogLine[] = []): Promise<void> {
    const neighbour = bodySpec("return 'alive'", { name: 'neighbour' })
    await withPlugin(tier, neighbour, (calm) =>
      tier.with(flooding(script), (sandbox) => flood(calm, sandbox), {
        kinds,
        host: { echo: ([value]) => value },
        onLog: (line) => lines.push(line),
      }),
    )
  }

  async function flood(calm: Sandbox, sandbox: Sandbox): Promise<void> {
    const delay = monitorEventLoopDelay({ resolution: 10 })
    delay.enable()
    let done = false
    const struck = runBody(sandbox, 'strike')
      .catch(() => {})
      .finally(() => {
        done = true
      })
    let answered = 0
    while (!done) {
      assert.equal(await runBody(calm), 'alive')
      answered++
      await new Promise((resolve) => setImmediate(resolve))
    }
    await struck
    delay.disable()
    assert.ok(answered > 0, `${answered} answers of the neighbour`)
    assert.ok(delay.percentile(50) < 1e9, `${delay.percentile(50) / 1e6} ms`)
  }

  test('a million tiny frames do not keep the host from its other plugins', async () => {
    const lines: PluginLogLine[] = []
    await whileFlooding(
      'for (let at = 0; at < 1e6; at++) send(\'[[5,"log",["info","x"]]]\')',
      lines,
    )
    // Its share of a minute, and what flows in meanwhile.
    assert.ok(lines.length > 0 && lines.length < 60_000, `${lines.length} lines`)
  })

  test('a million tiny answers to nothing do not keep the host from its other plugins', async () => {
    await whileFlooding("for (let at = 0; at < 1e6; at++) send('[[1,77777,1]]')")
  })

  test('calls that nobody waits for do not keep the host from its other plugins', async () => {
    await whileFlooding(
      "for (let at = 1; at < 2e5; at++) send('[[0,' + at + ',\"echo\",[' + at + '],0]]')",
    )
  })

  // A process is held back by its socket.
  if (tier.level === 'worker') {
    test('a guest that sends without waiting until there is time for it is ended', async () => {
      const script = flooding("for (let at = 0; at < 1e5; at++) send('[[1,77777,1]]')")
      const sandbox = await tier.start(script, { kinds })
      await assert.rejects(runBody(sandbox, 'strike'), { code: 'plugin_failure' })
      const { cause, message } = await sandbox.ended
      assert.equal(cause, 'protocol')
      assert.match(message, /sends more than it was told that there is time for/)
    })
  }

  test('long fields of a log line are left out, and long details of an error', async () => {
    const lines: PluginLogLine[] = []
    const script = `
      send(JSON.stringify([[5, 'log', ['info', 'x'.repeat(5000), { a: 'x'.repeat(100000) }]], [5, 'log', ['info', 'y', { a: 1 }]]]))
      send(JSON.stringify([[2, id, { code: 'timeout', message: 'x'.repeat(100000), details: { a: 'x'.repeat(100000) } }]]))
      return`
    await tier.with(
      flooding(script),
      async (sandbox) => {
        const error = asFogbowError(await runBody(sandbox, 'strike').catch((thrown) => thrown))
        assert.equal(error.message.length, 1024)
        assert.deepEqual(error.details, {})
      },
      { kinds, onLog: (line) => lines.push(line) },
    )
    assert.deepEqual(
      lines.map(({ message, fields }) => [message.length, fields]),
      [
        [1024, undefined],
        [1, { a: 1 }],
      ],
    )
  })

  test('a guest cannot raise how many calls it is given at once', async () => {
    const script = `
      let underWay = 0, most = 0
      offer(['federationToLocalMapper.getToken'])
      send('[[4,1000000]]')
      receive(([type, id, method]) => {
        if (type !== 0 || method === 'load') return
        most = Math.max(most, ++underWay)
        setTimeout(() => { underWay--; send(JSON.stringify([[1, id, { result: String(most) }]])) }, 20)
      })`
    await tier.with(
      script,
      async (sandbox) => {
        const most = await Promise.all(Array.from({ length: 100 }, () => runBody(sandbox)))
        assert.equal(Math.max(...most.map(Number)), 64)
      },
      { kinds },
    )
  })

  if (tier.level !== 'worker') {
    test('a frame that comes byte by byte is read like any other', async () => {
      const script = `
        const text = Buffer.from(JSON.stringify([[1, id, { result: JSON.stringify('x'.repeat(3000)) }]]))
        const frame = Buffer.alloc(4 + text.length); frame.writeUInt32BE(text.length); text.copy(frame, 4)
        let at = 0
        const next = () => { if (at < frame.length) { sendBytes(frame.subarray(at, ++at)); setImmediate(next) } }
        next()
        return`
      await tier.with(
        flooding(script),
        async (sandbox) => assert.equal(await runBody(sandbox, 'strike'), 'x'.repeat(3000)),
        { kinds },
      )
    })
  }
})
