import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { HostMethod, PluginLogLine, Sandbox } from '@fogbow/sandbox'
import { bodySpec, runBody, withPlugin } from '../support/hostile-plugin.ts'
import { createPrey } from '../support/prey.ts'
import { inEachTier, type Tier } from '../support/tiers.ts'

const prey = await createPrey()
const secrets = ['config', 'storage', 'secret', 'memory', 'global'].map(
  (where) => `${where}-${randomBytes(16).toString('hex')}`,
)
const [inConfig = '', inStorage = '', inSecret = '', inMemory = '', inGlobal = ''] = secrets

/** Storage and secrets as a site gives them: each plugin has its own. */
function ownHost(secret: string): Record<string, HostMethod> {
  const entries = new Map<string, unknown>()
  return {
    'storage.get': ([key]) => (entries.has(String(key)) ? [entries.get(String(key))] : []),
    'storage.set': ([key, value]) => void entries.set(String(key), value),
    'storage.list': () => [...entries].map(([key, value]) => ({ key, value })),
    'secrets.get': () => secret,
  }
}

/** A plugin that holds a secret in every place that a plugin has. */
function withNeighbour(tier: Tier, use: (neighbour: Sandbox) => Promise<void>): Promise<void> {
  const spec = bodySpec(
    `if (user.id === 'read') return [host.config.password, await host.storage.get('s'), await host.secrets.get('s'), memory, globalThis.held]
     globalThis.held = ${JSON.stringify(inGlobal)}
     await host.storage.set('s', ${JSON.stringify(inStorage)})
     return await host.secrets.get('s') === ${JSON.stringify(inSecret)}`,
    { name: 'neighbour', config: { password: inConfig }, host: ownHost(inSecret) },
    `let memory = ${JSON.stringify(inMemory)}; const buffer = new TextEncoder().encode(memory)`,
  )
  return withPlugin(tier, spec, async (neighbour) => {
    assert.equal(await runBody(neighbour), true)
    await use(neighbour)
    assert.deepEqual(await runBody(neighbour, 'read'), secrets)
  })
}

/** What a plugin beside it tells, in all ways it has. */
async function heardBeside(tier: Tier, code: string): Promise<string> {
  const heard: unknown[] = []
  const host = ownHost('own')
  const spec = bodySpec(
    code,
    { onLog: (line) => heard.push(line), config: { password: 'own' }, host },
    prey.tools,
  )
  await withPlugin(tier, spec, async (sandbox) => {
    heard.push(await runBody(sandbox).catch(String))
  })
  return JSON.stringify(heard)
}

const looks: [name: string, code: string][] = [
  [
    'its globals',
    'return [globalThis.held, Reflect.ownKeys(globalThis).map((key) => attempt(() => String(globalThis[key])))]',
  ],
  [
    'its storage',
    "return [await host.storage.get('s'), await host.storage.list(''), await host.storage.get('../neighbour/s'), await host.storage.get('neighbour\\0s'), await host.storage.get({ toString: () => 's', plugin: 'neighbour' })]",
  ],
  [
    'its secrets',
    "return [await host.secrets.get('s'), await host.secrets.get('plugins.neighbour.secrets.s'), await host.secrets.get(['neighbour', 's'])]",
  ],
  [
    'its configuration',
    "attempt(() => { host.config.password = 'x' }); return [host.config, Object.getPrototypeOf(host.config), structuredClone(host.config)]",
  ],
  [
    'registered symbols',
    "return ['held', 'memory', 'secret', 'nodejs.util.inspect.custom'].map((name) => { const symbol = Symbol.for(name); return [globalThis, Object, Function.prototype, Array.prototype, host, URL].map((holder) => attempt(() => String(holder[symbol]))) })",
  ],
  [
    'buffers that were not cleared',
    `const texts = []
     const made = [new ArrayBuffer(65536), new Uint8Array(65536).buffer, (await crypto.subtle.digest('SHA-256', new Uint8Array(1))), new TextEncoder().encode('x').buffer, await new Response('abc').arrayBuffer(), (await new Response('abc').bytes()).buffer, crypto.getRandomValues(new Uint8Array(4)).buffer, (await crypto.subtle.exportKey('raw', await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])))]
     for (const buffer of made) texts.push(new TextDecoder('latin1').decode(buffer))
     return [texts, made.map((buffer) => buffer.byteLength)]`,
  ],
  [
    'channels',
    "const found = []; for (const name of ['x', 'neighbour', 'fogbow']) { const channel = attempt(() => new BroadcastChannel(name)); if (channel) { channel.onmessage = (event) => found.push(event.data); channel.postMessage('x') } } await host.clock.sleep(20); return found",
  ],
  [
    'everything that can be walked to',
    'const seen = new Set([globalThis, host, call]); const texts = []; for (const one of seen) { if (Object(one) !== one) { texts.push(String(one)); continue } if (seen.size > 20000) break; for (const part of partsOf(one)) seen.add(part) } return texts',
  ],
]

await inEachTier((tier) => {
  for (const [name, code] of looks) {
    test(`a plugin learns nothing of its neighbour from ${name}`, async () => {
      await withNeighbour(tier, async () => {
        const heard = await heardBeside(tier, code)
        for (const secret of secrets) assert.ok(!heard.includes(secret), `it has ${secret}`)
      })
    })
  }

  test('what a plugin logs carries its own name, whatever it says it is', async () => {
    const lines: [string, PluginLogLine][] = []
    const specOf = (name: string, body: string) =>
      bodySpec(body, { name, onLog: (line) => lines.push([name, line]) })
    const forging = `host.log.info('plugin neighbour: hello', { plugin: 'neighbour', name: 'neighbour', level: 99, __proto__: { plugin: 'neighbour' }, toJSON() { return { plugin: 'neighbour' } } })
       console.log({ toJSON: () => ['neighbour'] })
       host.log.info.call({ name: 'neighbour' }, '\\n{"plugin":"neighbour"}')`
    await withPlugin(tier, specOf('neighbour', "host.log.info('mine')"), async (neighbour) => {
      await runBody(neighbour)
      await withPlugin(tier, specOf('liar', forging), runBody)
    })
    assert.deepEqual(
      lines.map(([name]) => name),
      ['neighbour', 'liar', 'liar', 'liar'],
    )
    for (const [, line] of lines)
      assert.deepEqual(
        Object.keys(line).filter((key) => !['level', 'message', 'fields'].includes(key)),
        [],
      )
    assert.ok(lines.every(([, { level }]) => level === 'info'))
  })

  test('the sequence of random numbers of a plugin tells nothing of those of its neighbour or the host', async () => {
    const spec = bodySpec(
      'return [Array.from({ length: 64 }, () => Math.random()), Array.from({ length: 64 }, () => crypto.randomUUID())]',
    )
    const drawn: unknown[] = [Array.from({ length: 64 }, () => Math.random())]
    for (let at = 0; at < 2; at++) drawn.push(await withPlugin(tier, spec, runBody))
    const numbers = drawn.flat(3)
    assert.equal(new Set(numbers).size, numbers.length)
  })
})
