import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type ErrorCode, FogbowError } from '@fogbow/plugin-sdk'
import { createManualClock } from '../fixtures/manual-clock.ts'
import { bundleSpec, imageSpec, pluginSpec, testLauncher } from '../fixtures/plugin-spec.ts'
import {
  defaultLimits,
  type FinishedCall,
  type PluginLogLine,
  type Sandbox,
  type SandboxSpec,
} from '../index.ts'
import { type SandboxOptions, startSandbox } from './start-sandbox.ts'

const launcher = testLauncher()
const started: Sandbox[] = []
after(() => Promise.all(started.map((sandbox) => sandbox.stop())))

async function start(spec: SandboxSpec, options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(spec, { launcher, ...options })
  started.push(sandbox)
  return sandbox
}

/** What the body of `getImage` came to. */
async function run(sandbox: Sandbox): Promise<unknown> {
  const image = (await sandbox.call('image.getImage', ['i-1', {}])) as { name: string }
  return JSON.parse(image.name)
}

test('a plugin is loaded, called and stopped', async () => {
  const sandbox = await start(imageSpec('return { id, token }'))
  assert.deepEqual([...sandbox.offered], ['image.getAllImages', 'image.getImage'])
  const image = await sandbox.call('image.getImage', ['i-1', { user: 'ann' }])
  assert.deepEqual(image, {
    id: 'i-1',
    name: '{"id":"i-1","token":{"user":"ann"}}',
    size: 1,
    status: 'ACTIVE',
  })
  await sandbox.stop()
  assert.deepEqual(await sandbox.ended, {
    cause: 'stopped',
    message: "Plugin 'sample' was stopped",
  })
  await assert.rejects(sandbox.call('image.getAllImages', [{}]), {
    code: 'plugin_failure',
    message: "Plugin 'sample' was stopped",
  })
})

test('a plugin whose kinds are instances of classes works', async () => {
  const sandbox = await start(
    pluginSpec(`
      class Base { async getAllImages() { return [{ id: this.id, name: 'n' }] } }
      class Images extends Base { id = 'mine'; async getImage() {} }
      return { image: new Images() }`),
  )
  assert.deepEqual(await sandbox.call('image.getAllImages', [{}]), [{ id: 'mine', name: 'n' }])
})

test('the bundle may export the definition itself', async () => {
  const sandbox = await start(
    bundleSpec(
      'module.exports = { create: () => ({ image: { getAllImages() { return [] }, getImage() {} } }) }',
    ),
  )
  assert.deepEqual(await sandbox.call('image.getAllImages', [{}]), [])
})

const refusals: [name: string, spec: SandboxSpec, error: { code: string; message: RegExp }][] = [
  [
    'a bundle that is no JavaScript',
    bundleSpec('this is not code'),
    { code: 'plugin_failure', message: /sample.*SyntaxError/ },
  ],
  [
    'a bundle that throws',
    bundleSpec('throw new Error("broken")'),
    { code: 'plugin_failure', message: /could not be loaded: Error: broken/ },
  ],
  [
    'a bundle without a definition',
    bundleSpec(''),
    { code: 'plugin_failure', message: /definePlugin/ },
  ],
  [
    'a create that answers nothing',
    pluginSpec(''),
    { code: 'plugin_failure', message: /must return the kinds offered/ },
  ],
  [
    'a missing method',
    pluginSpec('return { image: { getAllImages() {} } }'),
    {
      code: 'plugin_failure',
      message: /^Plugin 'sample' offers no image\.getImage, which the kind 'image' requires$/,
    },
  ],
  [
    'a configuration that create refuses',
    pluginSpec(
      "throw Object.assign(new Error('authUrl is wrong'), { code: 'configuration_error' })",
    ),
    { code: 'configuration_error', message: /^authUrl is wrong$/ },
  ],
]
for (const [name, spec, error] of refusals) {
  test(`${name} is refused at the start, with the reason`, async () => {
    await assert.rejects(startSandbox(spec, { launcher }), error)
  })
}

test('a bundle that does not end loading is stopped', async () => {
  const limits = { ...defaultLimits, loadTimeoutMs: 300 }
  await assert.rejects(startSandbox(bundleSpec('while (true) {}', { limits }), { launcher }), {
    code: 'timeout',
    message: "Plugin 'sample' did not load within 300 ms",
  })
})

test('what create offers beyond the promised kinds cannot be called', async () => {
  const sandbox = await start(
    pluginSpec(
      'return { image: { getAllImages() { return [] }, getImage() {}, extra() {} }, quota: { getUserQuota() {} } }',
    ),
  )
  for (const method of [
    'quota.getUserQuota',
    'image.extra',
    'image.constructor',
    'load',
    'image.__proto__',
  ]) {
    await assert.rejects(sandbox.call(method, [{}]), { code: 'not_implemented' }, method)
  }
})

test('parameters that break the contract are refused before they are sent', async () => {
  const sandbox = await start(imageSpec(''))
  await assert.rejects(sandbox.call('image.getImage', ['', {}]), {
    code: 'invalid_parameter',
    details: { field: 'imageId' },
  })
  await assert.rejects(sandbox.call('image.getImage', ['x']), { code: 'invalid_parameter' })
  assert.equal(sandbox.stats().calls, 0)
})

test('an answer that breaks the contract is a failure that names plugin, method and field', async () => {
  const sandbox = await start(
    pluginSpec(
      'return { image: { getAllImages() { return [{ id: 7, name: "x" }] }, getImage() {} } }',
    ),
  )
  await assert.rejects(sandbox.call('image.getAllImages', [{}]), {
    code: 'plugin_failure',
    message: "Plugin 'sample' answered image.getAllImages wrongly: answer[0].id must be string",
  })
})

test('an answer too long for a message fails that call and no other', async () => {
  const limits = { ...defaultLimits, messageLength: 10_000 }
  const sandbox = await start(imageSpec("return id === 'long' ? 'x'.repeat(20000) : 1", { limits }))
  await assert.rejects(sandbox.call('image.getImage', ['long', {}]), {
    code: 'plugin_failure',
    message: /20054 characters, 10000 are allowed/,
  })
  assert.equal(await run(sandbox), 1)
})

test('an error of the catalogue reaches the caller as it was thrown, any other is a failure of the plugin', async () => {
  const sandbox = await start(
    imageSpec(`
      if (id === 'coded') throw Object.assign(new Error('no such image'), { code: 'instance_not_found' })
      if (id === 'internal') throw Object.assign(new Error('blames the site'), { code: 'internal_error' })
      if (id === 'hostile') throw { get message() { throw 1 }, get code() { throw 2 }, toString() { throw 3 } }
      null.x`),
  )
  await assert.rejects(sandbox.call('image.getImage', ['coded', {}]), {
    code: 'instance_not_found',
    message: 'no such image',
  })
  for (const id of ['internal', 'hostile', 'other']) {
    await assert.rejects(sandbox.call('image.getImage', [id, {}]), {
      code: 'plugin_failure',
      message: /^Plugin 'sample' failed in image\.getImage: /,
    })
  }
  assert.deepEqual(
    { calls: sandbox.stats().calls, errors: sandbox.stats().errors },
    { calls: 4, errors: 4 },
  )
})

test('a call that gets no answer ends at its deadline, and the plugin is told', async () => {
  const clock = createManualClock()
  const lines: PluginLogLine[] = []
  const logged = Promise.withResolvers<void>()
  const onLog = (line: PluginLogLine) => {
    lines.push(line)
    if (line.message === 'given up') logged.resolve()
    else clock.advance(30_000)
  }
  const sandbox = await start(
    imageSpec(
      `call.signal.addEventListener('abort', () => host.log.info('given up'))
       host.log.info('asked', { leftMs: Math.round((call.deadline - host.clock.now()) / 1000) })
       await new Promise(() => {})`,
      { onLog },
    ),
    { clock, watch: { unresponsiveAfterMs: 3_600_000 } },
  )
  await assert.rejects(sandbox.call('image.getImage', ['x', {}]), {
    code: 'timeout',
    message: "Plugin 'sample' did not answer image.getImage within 30000 ms",
  })
  await logged.promise
  assert.deepEqual(lines[0], { level: 'info', message: 'asked', fields: { leftMs: 30 } })
})

test('a caller may give up a call', async () => {
  const sandbox = await start(imageSpec('await new Promise(() => {})'))
  const controller = new AbortController()
  const call = sandbox.call('image.getImage', ['x', {}], { signal: controller.signal })
  controller.abort(new FogbowError('timeout', 'the user went away'))
  await assert.rejects(call, { code: 'timeout', message: 'the user went away' })
  await assert.rejects(sandbox.call('image.getImage', ['x', {}], { signal: AbortSignal.abort() }), {
    code: 'timeout',
  })
})

test('calls beyond what a sandbox takes wait, and beyond what may wait are refused', async () => {
  const limits = { ...defaultLimits, callsInFlight: 2, callsWaiting: 2 }
  const sandbox = await start(imageSpec('await host.clock.sleep(50); return 1', { limits }))
  const calls = Array.from({ length: 5 }, () => run(sandbox))
  assert.equal(sandbox.stats().waiting, 2)
  const results = await Promise.allSettled(calls)
  assert.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.code)),
    [1, 1, 1, 1, 'too_many_requests'],
  )
})

test('the host answers what it offers, refuses the rest and counts it', async () => {
  const sandbox = await start(
    imageSpec(
      `await host.storage.set('k', { n: 1 })
       const denied = await host.secrets.get('x').catch((error) => error.code)
       return [await host.storage.get('k'), await host.storage.get('null'), (await host.storage.get('other')) === undefined, denied]`,
      {
        host: {
          'storage.set': ([, value]) => {
            kept = value
          },
          'storage.get': async ([key]) => (key === 'k' ? [kept] : key === 'null' ? [null] : []),
        },
      },
    ),
  )
  let kept: unknown
  assert.deepEqual(await run(sandbox), [{ n: 1 }, null, true, 'unauthorized'])
  assert.equal(sandbox.stats().deniedHostCalls, 1)
})

test('what becomes of a call is told, whatever it is', async () => {
  const finished: FinishedCall[] = []
  const sandbox = await start(
    imageSpec(
      "if (id === 'bad') throw new Error('x'); if (id === 'long') await host.clock.sleep(60000); return 1",
      { onCall: (call) => finished.push(call) },
    ),
  )
  await run(sandbox)
  await assert.rejects(sandbox.call('image.getImage', ['bad', {}]))
  await assert.rejects(sandbox.call('image.getImage', ['long', {}], { timeoutMs: 20 }))
  await assert.rejects(sandbox.call('image.getNothing', []))
  assert.deepEqual(
    finished.map(({ method, outcome }) => [method, outcome]),
    [
      ['image.getImage', 'ok'],
      ['image.getImage', 'plugin_failure'],
      ['image.getImage', 'timeout'],
    ],
  )
  assert.ok(finished.every(({ ms }) => ms > 0))
})

test('calls that a broker refuses as unauthorized are counted, at once or later, other refusals are not', async () => {
  const refuse = (code: ErrorCode) => () => {
    throw new FogbowError(code, 'no')
  }
  const sandbox = await start(
    imageSpec(
      `const codes = []
       for (const asked of [host.fetch('https://a/'), host.secrets.get('b'), host.storage.get('c')])
         codes.push(await asked.catch((error) => error.code))
       return codes`,
      {
        host: {
          fetch: async () => refuse('unauthorized')(),
          'secrets.get': refuse('unauthorized'),
          'storage.get': async () => refuse('invalid_parameter')(),
        },
      },
    ),
  )
  assert.deepEqual(await run(sandbox), ['unauthorized', 'unauthorized', 'invalid_parameter'])
  assert.equal(sandbox.stats().deniedHostCalls, 2)
})

test('names of parts of the language are no host methods', async () => {
  const sandbox = await start(
    imageSpec("return host.fetch('http://x/').catch((error) => error.code)", { host: {} }),
  )
  assert.equal(await run(sandbox), 'unauthorized')
})

test('a broker is told when the plugin gives up its request', async () => {
  const aborted = Promise.withResolvers<void>()
  const fetch = (_args: readonly unknown[], call: { signal: AbortSignal }) => {
    call.signal.addEventListener('abort', () => aborted.resolve())
    return new Promise(() => {})
  }
  const sandbox = await start(
    imageSpec(
      `const controller = new AbortController()
       setTimeout(() => controller.abort(), 5)
       return host.fetch('https://cloud/', { signal: controller.signal }).catch((error) => error.name)`,
      { host: { fetch } },
    ),
  )
  assert.equal(await run(sandbox), 'AbortError')
  await aborted.promise
})

test('an error of a broker reaches the plugin with its code', async () => {
  const host = {
    'storage.get': () => {
      throw new FogbowError('payload_too_large', 'too much')
    },
  }
  const sandbox = await start(
    imageSpec("return host.storage.get('k').catch((error) => [error.code, error.message])", {
      host,
    }),
  )
  assert.deepEqual(await run(sandbox), ['payload_too_large', 'too much'])
})

test('fetch crosses as one call and its answer can be read', async () => {
  const asked: unknown[] = []
  const sandbox = await start(
    imageSpec(
      `const response = await fetch('https://cloud.example/v1?q=ä', { method: 'post', body: JSON.stringify({ a: 1 }), headers: { 'X-Token': 't' } })
       return [response.status, response.ok, response.headers.get('content-type'), await response.json(), response.bodyUsed]`,
      {
        host: {
          fetch: ([request]) => {
            asked.push(request)
            return {
              status: 201,
              statusText: 'Created',
              headers: [['Content-Type', 'application/json']],
              body: btoa('{"made":true}'),
            }
          },
        },
      },
    ),
  )
  assert.deepEqual(await run(sandbox), [201, true, 'application/json', { made: true }, true])
  assert.deepEqual(asked, [
    {
      url: 'https://cloud.example/v1?q=%C3%A4',
      method: 'POST',
      headers: [
        ['content-type', 'text/plain;charset=UTF-8'],
        ['x-token', 't'],
      ],
      body: btoa('{"a":1}'),
    },
  ])
})

test('a redirect is a request of its own, without credentials for another host', async () => {
  const asked: { url: string; headers: string[][] }[] = []
  const fetch = ([request]: readonly unknown[]) => {
    const { url, headers } = request as { url: string; headers: string[][] }
    asked.push({ url, headers })
    const found = url.startsWith('https://b/')
    return {
      status: found ? 200 : 302,
      statusText: '',
      headers: found ? [] : [['location', 'https://b/x']],
      body: '',
    }
  }
  const sandbox = await start(
    imageSpec(
      "const r = await fetch('https://a/', { headers: { authorization: 's' } }); return [r.url, r.redirected]",
      { host: { fetch } },
    ),
  )
  assert.deepEqual(await run(sandbox), ['https://b/x', true])
  assert.deepEqual(asked, [
    { url: 'https://a/', headers: [['authorization', 's']] },
    { url: 'https://b/x', headers: [] },
  ])
})

test('the clock of a plugin is that of the site', async () => {
  const clock = createManualClock(1_234_567_890)
  const sandbox = await start(imageSpec('return host.clock.now()'), { clock })
  const now = (await run(sandbox)) as number
  assert.ok(Math.abs(now - 1_234_567_890) < 60_000)
})

test('configuration arrives frozen', async () => {
  const config = { region: 'x', deep: { list: [1] } }
  const sandbox = await start(
    imageSpec(
      'return [host.config, Object.isFrozen(host.config.deep.list), Object.isFrozen(host)]',
      { config },
    ),
  )
  assert.deepEqual(await run(sandbox), [config, true, true])
})
