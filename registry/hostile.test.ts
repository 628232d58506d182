import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { alice, applied, newMarketplace } from './fixtures/marketplace.ts'
import { npmRegistry } from './fixtures/npm-registry.ts'
import { packed, plugin, type TarEntry, tarball, temporaryFolder } from './fixtures/packages.ts'

const name = 'vendor-plugin'
const request = { action: 'install', source: name } as const

type Fault = (path: string, response: ServerResponse, body?: Buffer) => boolean

const isTarball = (path: string) => path.endsWith('.tgz')

/** Announces all of it and sends half. */
function halfOf(response: ServerResponse, body: Buffer | undefined): boolean {
  response.writeHead(200, { 'content-length': body?.length ?? 0 })
  response.write(body?.subarray(0, body.length / 2), () => response.destroy())
  return true
}

function trickle(response: ServerResponse): boolean {
  const timer = setInterval(() => response.write(' '), 20)
  response.on('close', () => clearInterval(timer))
  return true
}

const faults: [string, Fault, string][] = [
  ['does not answer', () => true, 'unavailable_provider'],
  ['never comes to an end', (_, response) => trickle(response), 'unavailable_provider'],
  [
    'answers 500',
    (_, response) => Boolean(response.writeHead(500).end('{}')),
    'unavailable_provider',
  ],
  ['answers 401', (_, response) => Boolean(response.writeHead(401).end()), 'unavailable_provider'],
  [
    'breaks off in a document',
    (_, response, body) => halfOf(response, body),
    'unavailable_provider',
  ],
  [
    'sends no JSON',
    (_, response) => Boolean(response.end('<html>Log in</html>')),
    'unavailable_provider',
  ],
  ['sends a list', (_, response) => Boolean(response.end('[]')), 'configuration_error'],
  [
    'answers about another package',
    (_, response) => Boolean(response.end('{"name":"other-plugin","versions":{}}')),
    'configuration_error',
  ],
  [
    'sends versions that are none',
    (_, response) =>
      Boolean(response.end(`{"name":"${name}","versions":{"__proto__":{},"new":1,"1":null}}`)),
    'invalid_parameter',
  ],
  ['does not send the tarball', (path) => isTarball(path), 'unavailable_provider'],
  [
    'breaks off in the tarball',
    (path, response, body) => isTarball(path) && halfOf(response, body),
    'unavailable_provider',
  ],
  [
    'sends a shorter tarball',
    (path, response, body) =>
      isTarball(path) && Boolean(response.end(body?.subarray(0, body.length / 2))),
    'configuration_error',
  ],
]

for (const [what, fault, code] of faults) {
  test(`a registry that ${what} is named, changes nothing, and is asked again later`, async (t) => {
    const npm = await npmRegistry(t, [plugin('x')])
    const options = { registry: npm.registry, timeout: 300, deadlineMs: 600 }
    const { marketplace, directory } = await newMarketplace(t, { npm: options })
    npm.fault = fault
    await assert.rejects(marketplace.plan(request, alice), (error: Error & { code: string }) => {
      assert.equal(error.code, code, error.message)
      assert.match(error.message, /vendor-plugin/)
      return true
    })
    assert.deepEqual(await marketplace.plans(), [])
    assert.equal((await readdir(directory)).includes('store'), false)
    npm.fault = () => false
    // A deadline that serves a loaded machine.
    const patient = await newMarketplace(t, { directory, npm: { registry: npm.registry } })
    await applied(patient.marketplace, await patient.marketplace.plan(request, alice))
    assert.equal((await marketplace.current()).number, 1)
  })
}

test('a tarball that never ends is broken off, and so is its connection', async (t) => {
  const npm = await npmRegistry(t, [plugin('x')])
  const { marketplace } = await newMarketplace(t, { npm: { registry: npm.registry } })
  const closed = new Promise<void>((resolve) => {
    npm.fault = (path, response) => {
      if (!isTarball(path)) return false
      response.on('close', resolve)
      const more = () => response.write(Buffer.alloc(1024 * 1024), (error) => !error && more())
      more()
      return true
    }
  })
  await assert.rejects(marketplace.plan(request, alice), {
    code: 'configuration_error',
    message: /^Package 'vendor-plugin@1\.0\.0': what was sent is larger than 67108864 bytes/,
  })
  await closed
})

test('a dependency without a SHA-512 is refused, and a plugin without one is for the policy to refuse', async (t) => {
  const helper = { 'package.json': '{"name":"helper","version":"1.0.0"}', 'index.js': '' }
  const npm = await npmRegistry(t, [plugin('x', { dependencies: { helper: '*' } })])
  npm.publish(helper, { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' })
  let announced: string | undefined = 'never judged'
  const { marketplace } = await newMarketplace(t, {
    npm: { registry: npm.registry },
    judge: async ({ announcedIntegrity }) => {
      announced = announcedIntegrity
      return { level: 'community', checks: [], refusals: [] }
    },
  })
  await assert.rejects(marketplace.plan(request, alice), {
    code: 'configuration_error',
    message: /^Package 'helper@1\.0\.0': its registry states no SHA-512 of its tarball/,
  })
  npm.publish(plugin('y', { version: '2.0.0' }), { integrity: '' })
  await marketplace.plan(request, alice)
  assert.equal(announced, undefined)
})

const good: TarEntry[] = Object.entries(plugin('x')).map(([path, content]) => ({
  path: `package/${path}`,
  content,
}))

function oneHeader(): Buffer {
  return gunzipSync(tarball([{ path: 'package/many' }])).subarray(0, 512)
}

const tarballs: [string, () => Buffer, RegExp][] = [
  [
    'a hundred thousand files',
    () => gzipSync(Buffer.concat([Buffer.alloc(512 * 100_000, oneHeader()), Buffer.alloc(1024)])),
    /unpacks to more than 10000 files/,
  ],
  [
    'names that only case tells apart',
    () => tarball([...good, { path: 'package/INDEX.js', content: 'evil()' }]),
    /'INDEX\.js' is in the tarball twice \(also as 'index\.js'\)/,
  ],
  [
    'names that only the way of writing a letter tells apart',
    () =>
      tarball([
        ...good,
        { path: 'package/caf\u00e9.js', content: '1' },
        { path: 'package/cafe\u0301.js', content: '2' },
      ]),
    /is in the tarball twice/,
  ],
  [
    'a file where a folder has to be',
    () => tarball([...good, { path: 'package/index.js/inner.js', content: '' }]),
    /'index\.js' is a file and a folder/,
  ],
  [
    'a schema nested twenty thousand deep',
    () => {
      const schema = `${'{"type":"object","properties":{"a":'.repeat(20_000)}{}${'}}'.repeat(20_000)}`
      const fogbow = `{"sdk":"^0.1.0","kinds":["image"],"entry":"./index.js","config":${schema}}`
      const json = `{"name":"${name}","version":"1.0.0","fogbow":${fogbow}}`
      return packed({ ...plugin('x'), 'package.json': json })
    },
    /fogbow\.config|nested|larger than/,
  ],
  [
    'a kind that does not exist',
    () => packed(plugin('x', {}, { kinds: ['image', 'root'] })),
    /fogbow\.kinds/,
  ],
  [
    'an entry without a plugin in it',
    () => packed({ ...plugin('x'), 'index.js': 'export const notDefault = 1' }),
    /export default definePlugin/,
  ],
  [
    'a name that would change objects',
    () => packed(plugin('x', { name: '__proto__' })),
    /name must be the name of an npm package/,
  ],
]

for (const [what, bytes, message] of tarballs) {
  test(`a tarball with ${what} makes no plan and leaves nothing`, async (t) => {
    const { marketplace, directory } = await newMarketplace(t)
    const source = join(await temporaryFolder(t), 'plugin.tgz')
    await writeFile(source, bytes())
    const planning = marketplace.plan({ action: 'install', source }, alice)
    await assert.rejects(planning, { code: 'configuration_error', message })
    assert.deepEqual(await readdir(directory), [])
  })
}

test('a signature that is no JSON is judged as one that does not hold, and is not taken for absent', async (t) => {
  const source = join(await temporaryFolder(t), 'plugin.tgz')
  await writeFile(source, packed({ ...plugin('x'), 'fogbow.signature.json': '{"formatVersion":' }))
  let signature: unknown
  const { marketplace } = await newMarketplace(t, {
    judge: async (candidate) => {
      signature = candidate.vendorSignature
      return { level: 'local', checks: [], refusals: [] }
    },
  })
  await marketplace.plan({ action: 'install', source }, alice)
  assert.equal(signature, '{"formatVersion":')
})

test('install scripts are told of and do not run', async (t) => {
  const source = join(await temporaryFolder(t), 'plugin.tgz')
  const ran = join(await temporaryFolder(t), 'ran')
  const scripts = { preinstall: `touch ${ran}`, postinstall: `touch ${ran}`, test: 'true' }
  await writeFile(source, packed(plugin('x', { scripts })))
  const { marketplace } = await newMarketplace(t)
  const plan = await marketplace.plan({ action: 'install', source }, alice)
  assert.match(plan.notes.join(), /its install scripts are not run: preinstall, postinstall/)
  await applied(marketplace, plan)
  assert.deepEqual(await readdir(join(ran, '..')), [])
})
