import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import type { HostMethod } from '@fogbow/sandbox'
import { answerOf, bodySpec, runBody, withPlugin } from '../support/hostile-plugin.ts'
import { type RawTier, withRawGuests } from '../support/raw-guest.ts'
import { inEachTier } from '../support/tiers.ts'

let requests = 0
const server = createServer((_request, response) => {
  requests++
  response.end()
})
let port = 0

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as { port: number }).port
})
after(() => server.close())

await inEachTier((tier) => {
  test('a plugin that was given nothing gets nothing, whatever it asks for', async () => {
    const spec = bodySpec(
      `const url = 'http://127.0.0.1:' + user.id
       const asks = {
         fetch: () => fetch(url), method: () => host.fetch(url, { method: 'POST', body: 'x' }), stream: () => fetch(url, { method: 'POST', duplex: 'half', body: new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(3)); controller.close() } }) }),
         connect: () => host.connect({ hostname: '127.0.0.1', port: Number(user.id) }).opened, tls: () => host.connect({ hostname: '127.0.0.1', port: Number(user.id) }, { secureTransport: 'on' }).opened,
         secret: () => host.secrets.get('password'), get: () => host.storage.get('x'), set: () => host.storage.set('x', 1), remove: () => host.storage.delete('x'), list: () => host.storage.list(''), write: () => host.storage.write([{ key: 'x', value: 1 }]),
       }
       const got = {}
       for (const [name, run] of Object.entries(asks)) try { got[name] = String(await run()) } catch (error) { got[name] = error.code }
       return got`,
    )
    await withPlugin(tier, spec, async (sandbox) => {
      const got = (await runBody(sandbox, String(port))) as Record<string, string>
      assert.deepEqual([...new Set(Object.values(got))], ['unauthorized'])
      assert.ok(sandbox.stats().deniedHostCalls >= Object.keys(got).length)
    })
    assert.equal(requests, 0)
  })

  test('only the methods that a plugin was given are called, with what it gave as plain data', async () => {
    const called: unknown[][] = []
    const get: HostMethod = (args) => {
      called.push([...args])
      return []
    }
    await answerOf(
      tier,
      `await host.storage.get({ toJSON: () => 'key' })
       await host.storage.get('a', 'b', { c: 1 })
       await host.storage.set('x', 1).catch(() => {})
       await host.storage.get(undefined)`,
      { host: { 'storage.get': get } },
    )
    assert.deepEqual(called, [['key'], ['a'], [null]])
  })
})

/** Offers one stream for each call of `give`, and tells what is read of it. */
function giver(text: string): Record<string, HostMethod> {
  async function* bytes() {
    yield new TextEncoder().encode(text)
  }
  return { give: (_args, { streams }) => streams.offer(bytes()) }
}

/** A raw guest that calls the host by `ask(method, ...args)` and answers what `body` comes to. */
const asking = (body: string) => `
  offer(['federationToLocalMapper.getToken'])
  let last = 0
  const waiting = new Map()
  const ask = (method, ...args) => new Promise((done) => { waiting.set(++last, done); send(JSON.stringify([[0, last, method, args, 0]])) })
  const run = async (user) => { ${body} }
  receive(([type, id, value, args]) => {
    if (type === 1) waiting.get(id)?.(value)
    else if (type === 2) waiting.get(id)?.(value.code)
    else if (type === 0 && value !== 'load') run(args[0]).then((answer) => send(JSON.stringify([[1, id, { result: JSON.stringify(answer ?? null) }]])))
  })`

await withRawGuests((tier: RawTier) => {
  const kinds = ['federationToLocalMapper']

  test("the numbers of another plugin's streams open nothing", async () => {
    const secret = 'for the neighbour alone'
    await tier.with(
      asking("return user.id === 'read' ? ask('stream.read', 1) : ask('give')"),
      async (neighbour) => {
        assert.equal(await runBody(neighbour), 1)
        const thief =
          "const got = []; for (let id = -2; id < 50; id++) for (const method of ['stream.read', 'stream.write', 'stream.close', 'stream.cancel']) got.push(await ask(method, id, 'AAAA')); return got"
        await tier.with(
          asking(thief),
          async (sandbox) => {
            const got = (await runBody(sandbox)) as unknown[]
            assert.deepEqual(
              [...new Set(got)].filter((one) => one !== undefined && one !== null),
              ['invalid_parameter'],
            )
          },
          { kinds },
        )
        assert.equal(await runBody(neighbour, 'read'), Buffer.from(secret).toString('base64'))
      },
      { kinds, host: giver(secret) },
    )
  })

  test('streams are used as they were opened, by numbers and bytes, or not at all', async () => {
    const wrong = `
      const id = await ask('give')
      const upload = await ask('stream.open')
      const got = {
        text: await ask('stream.read', String(id)), list: await ask('stream.read', [id]), object: await ask('stream.read', { valueOf: id }), none: await ask('stream.read'), float: await ask('stream.read', id + 0.5), name: await ask('stream.read', 'constructor'),
        writeSource: await ask('stream.write', id, 'AAAA'), readTarget: await ask('stream.read', upload), noText: await ask('stream.write', upload, 5), noBase64: await ask('stream.write', upload, '%%%%'),
      }
      return got`
    const long = `
      const upload = await ask('stream.open')
      return ask('stream.write', upload, 'A'.repeat(200000))`
    await tier.with(
      asking(`if (user.id === 'long') { ${long} } else { ${wrong} }`),
      async (sandbox) => {
        const got = (await runBody(sandbox)) as Record<string, unknown>
        for (const [name, code] of Object.entries(got))
          assert.equal(code, 'invalid_parameter', name)
        assert.equal(await runBody(sandbox, 'long'), 'invalid_parameter')
      },
      { kinds, host: giver('x') },
    )
  })

  test('more streams than allowed are refused, and end with the sandbox', async () => {
    const many = `const got = []; for (let at = 0; at < 1000; at++) got.push(await ask('stream.open')); return [got.filter((one) => typeof one === 'number').length, [...new Set(got.filter((one) => typeof one !== 'number'))]]`
    await tier.with(
      asking(many),
      async (sandbox) => assert.deepEqual(await runBody(sandbox), [256, ['too_many_requests']]),
      { kinds },
    )
  })
})
