import assert from 'node:assert/strict'
import {
  createHash,
  createHmac,
  createSign,
  createVerify,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto'
import * as path from 'node:path'
import * as querystring from 'node:querystring'
import { type TestContext, test } from 'node:test'
import * as url from 'node:url'
import * as util from 'node:util'
import { bundleSpec, testLauncher } from '../fixtures/plugin-spec.ts'
import { startSandbox } from '../index.ts'
import { buildBundle } from './build-bundle.ts'
import { temporaryFolder, writePackage } from './fixtures/packages.ts'

const launcher = testLauncher()

/** Bundles a module that exports `run(config)`, runs it in a sandbox and answers what it returns. */
async function outcomeOf(t: TestContext, source: string, config: Record<string, unknown> = {}) {
  const packageDir = await temporaryFolder(t)
  await writePackage(packageDir, {
    'run.ts': source,
    'index.ts': `import { run } from './run.ts'
      const image = { getAllImages: async () => [], getImage: async () => ({}) }
      export default {
        async create({ config, storage }) {
          await storage.set('outcome', await run(config))
          return { image }
        },
      }`,
  })
  const { code } = await buildBundle({ packageDir, entry: './index.ts' })
  let outcome: unknown
  const keep = ([, value]: readonly unknown[]) => {
    outcome = value
  }
  const spec = bundleSpec(code, { config, host: { 'storage.set': keep } })
  const sandbox = await startSandbox(spec, { launcher })
  await sandbox.stop()
  return outcome
}

test('Buffer is there under its name, as a module and nowhere else', async (t) => {
  const outcome = await outcomeOf(
    t,
    `import { Buffer as Imported } from 'node:buffer'
    export const run = () => ({
      text: Buffer.from('ü', 'utf8').toString('hex') + Buffer.concat([Buffer.from('aGk=', 'base64')]),
      same: Imported === Buffer && Buffer.from('x') instanceof Uint8Array,
      global: typeof globalThis.Buffer,
    })`,
  )
  assert.deepEqual(outcome, { text: 'c3bchi', same: true, global: 'undefined' })
})

test('a bundle that does not name Buffer does not contain it', async (t) => {
  const packageDir = await temporaryFolder(t)
  await writePackage(packageDir, { 'index.ts': 'export default { create: () => ({}) }' })
  const { code, inputs } = await buildBundle({ packageDir, entry: './index.ts' })
  assert.ok(code.length < 1500)
  assert.equal(inputs.length, 1)
})

interface CryptoOutcome {
  hash: string
  short: string
  hmac: string
  rsa: string
  pss: string
  ec: string
  raw: number
  verified: boolean[]
  random: unknown[]
  equal: boolean[]
  refused: string[]
}

test('crypto digests and signs as Node does, and at once', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const ec = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const nodes = {
    rsa: createSign('RSA-SHA256').update('data').sign(privateKey, 'base64'),
    ec: createSign('sha256').update('data').sign(ec.privateKey, 'base64'),
  }
  const outcome = (await outcomeOf(
    t,
    `import * as crypto from 'crypto'
    export const run = ({ privateKey, publicKey, ec, nodes }) => ({
      hash: crypto.createHash('sha512').update('a').update(Buffer.from('b')).digest('hex'),
      short: crypto.hash('sha1', 'ab'),
      hmac: crypto.createHmac('sha256', 'key').update('data').digest('base64'),
      rsa: crypto.createSign('RSA-SHA256').update('data').sign(privateKey, 'base64'),
      pss: crypto.sign('sha256', Buffer.from('data'), { key: privateKey, padding: crypto.constants.RSA_PKCS1_PSS_PADDING }).toString('base64'),
      ec: crypto.createSign('SHA256').update('data').sign(ec.privateKey, 'base64'),
      raw: crypto.sign('sha256', Buffer.from('data'), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).length,
      verified: [
        crypto.createVerify('RSA-SHA256').update('data').verify(publicKey, nodes.rsa, 'base64'),
        crypto.createVerify('RSA-SHA256').update('other').verify(publicKey, nodes.rsa, 'base64'),
        crypto.verify('sha256', Buffer.from('data'), crypto.createPublicKey(ec.publicKey), Buffer.from(nodes.ec, 'base64')),
      ],
      random: [crypto.randomBytes(100_000).length, crypto.randomUUID().length, crypto.randomInt(5) < 5],
      equal: [crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('a')), crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('b'))],
      refused: [() => crypto.createHash('md5'), () => crypto.createCipheriv('aes-128-cbc', '', '')].map((use) => {
        try { use() } catch (error) { return error.message }
      }),
    })`,
    { privateKey, publicKey, ec, nodes },
  )) as CryptoOutcome
  assert.equal(outcome.hmac, createHmac('sha256', 'key').update('data').digest('base64'))
  assert.equal(outcome.rsa, nodes.rsa)
  assert.ok(createVerify('sha256').update('data').verify(ec.publicKey, outcome.ec, 'base64'))
  const pss = { key: publicKey, padding: 6, saltLength: 32 }
  assert.ok(verify('sha256', Buffer.from('data'), pss, Buffer.from(outcome.pss, 'base64')))
  assert.equal(
    outcome.raw,
    sign('sha256', Buffer.from('x'), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).length,
  )
  assert.deepEqual(outcome.verified, [true, false, true])
  assert.deepEqual(outcome.random, [100_000, 36, true])
  assert.deepEqual(outcome.equal, [true, false])
  assert.match(outcome.refused[0] ?? '', /digest md5 is not available to plugins; use SHA-256/)
  assert.match(outcome.refused[1] ?? '', /crypto\.createCipheriv of Node is not available/)
  assert.equal(outcome.hash, createHash('sha512').update('ab').digest('hex'))
  assert.equal(outcome.short, createHash('sha1').update('ab').digest('hex'))
})

test('streams flow, transform, fail and become web streams', async (t) => {
  const outcome = await outcomeOf(
    t,
    `import { pipeline, Readable, Transform, Writable } from 'node:stream'
    import { pipeline as pipelineAsync } from 'node:stream/promises'
    import Stream from 'stream'
    import { EventEmitter, once } from 'events'
    export async function run() {
      const written = []
      const upper = () => new Transform({ transform: (chunk, _encoding, done) => done(null, chunk.toString().toUpperCase()) })
      const sink = () => new Writable({ write(chunk, _encoding, done) { written.push(chunk.toString()); done() } })
      await pipelineAsync(Readable.from(['a', 'b']), upper(), sink())
      const failed = await new Promise((resolve) =>
        pipeline(Readable.from(['c']), new Transform({ transform: (_c, _e, done) => done(new Error('no')) }), sink(), (error) => resolve(error.message)))
      const web = []
      for await (const chunk of Readable.fromWeb(new Response('web').body)) web.push(chunk.toString())
      const back = await new Response(Readable.toWeb(Readable.from([Buffer.from('and '), Buffer.from('back')]))).text()
      const emitter = new EventEmitter()
      queueMicrotask(() => emitter.emit('x', 7))
      return { written, failed, web, back, once: await once(emitter, 'x'), inherits: new Readable() instanceof Stream }
    }`,
  )
  const expected = { written: ['A', 'B'], failed: 'no', web: ['web'], back: 'and back', once: [7] }
  assert.deepEqual(outcome, { ...expected, inherits: true })
})

const addresses = [
  'https://user:p%40ss@Host.example:8443/a/b?x=1&y=a%20b&x=2#frag',
  'http://[::1]:80/?q',
  '/only/path?a=b',
  'https://host.example',
]

test('url, querystring and path answer what those of Node answer', async (t) => {
  const source = `import * as path from 'path'
    import * as querystring from 'querystring'
    import * as url from 'url'
    export const run = ({ addresses }) => (${compared.toString()})({ path, querystring, url }, addresses)`
  const outcome = await outcomeOf(t, source, { addresses })
  const expected = compared({ path: path.posix, querystring, url }, addresses)
  assert.deepEqual(outcome, JSON.parse(JSON.stringify(expected)))
})

interface Compared {
  path: Pick<typeof path, 'join' | 'resolve' | 'basename' | 'extname' | 'relative'>
  querystring: typeof querystring
  url: typeof url
}

function compared({ path, querystring, url }: Compared, addresses: string[]) {
  return {
    parsed: addresses.map((address) => {
      const { protocol, auth, host, port, hostname, pathname, search, query, hash, path } =
        url.parse(address)
      return { protocol, auth, host, port, hostname, pathname, search, query, hash, path }
    }),
    formatted: url.format({
      protocol: 'https',
      hostname: 'h',
      port: 1,
      pathname: '/p',
      query: { a: ['1', '2'] },
    }),
    resolved: [url.resolve('/one/two', 'three'), url.resolve('http://h/a', '/b')],
    query: querystring.stringify({ a: [1, 2], b: 'ü&', c: true, d: null }),
    fields: Object.entries(querystring.parse('a=1&a=2&b=%C3%BC+x&c&=d&bad=%')),
    paths: [
      path.join('/a', '../b', 'c.js'),
      path.basename('/x/y.ts', '.ts'),
      path.extname('a.b.c'),
      path.relative('/a/b', '/a/c'),
    ],
  }
}

test('util formats, compares, inherits and promisifies as Node does', async (t) => {
  const source = `import * as util from 'util'
    export const run = () => (${ofUtil.toString()})(util)`
  assert.deepEqual(await outcomeOf(t, source), await ofUtil(util))
})

async function ofUtil({ format, isDeepStrictEqual, promisify, callbackify, types }: typeof util) {
  const twice = promisify((value: number, done: (error: null, value: number) => void) =>
    done(null, value * 2),
  )
  const later = new Promise((resolve) =>
    callbackify(async () => 'called back')((_error: unknown, value: unknown) => resolve(value)),
  )
  return {
    formats: [format('%s is %d%%', 'a', 5, 'more'), format('%j', { a: 1 }), format(1, 'b')],
    equal: [
      isDeepStrictEqual({ a: [1, new Date(0)] }, { a: [1, new Date(0)] }),
      isDeepStrictEqual({ a: 1 }, { a: '1' }),
      isDeepStrictEqual(new Map([[1, { b: 2 }]]), new Map([[1, { b: 2 }]])),
    ],
    twice: await twice(4),
    later: await later,
    types: [types.isDate(new Date()), types.isRegExp('x'), types.isUint8Array(new Uint8Array(1))],
  }
}

test('assert throws what its callers look for', async (t) => {
  const outcome = await outcomeOf(
    t,
    `import assert from 'assert'
    const codeOf = (use) => { try { use() } catch (error) { return error.code ?? error.message } return 'passed' }
    export const run = () => [
      () => assert(false, 'm'), () => assert.ok(1), () => assert.equal(1, '1'), () => assert.strictEqual(1, '1'),
      () => assert.deepStrictEqual({ a: [1] }, { a: [1] }), () => assert.deepEqual([1], [2]),
      () => assert.throws(() => { throw new TypeError('t') }, TypeError), () => assert.throws(() => {}),
      () => assert.throws(() => { throw new Error('t') }, /other/),
    ].map(codeOf)`,
  )
  const thrown = 'ERR_ASSERTION'
  assert.deepEqual(outcome, [
    thrown,
    'passed',
    'passed',
    thrown,
    'passed',
    thrown,
    'passed',
    thrown,
    't',
  ])
})

test('timers and os are there without a machine', async (t) => {
  const outcome = await outcomeOf(
    t,
    `import { setTimeout as wait } from 'timers/promises'
    import os from 'os'
    export const run = async () => [await wait(1, 'waited'), os.EOL, os.platform(), os.networkInterfaces(), os.homedir()]`,
  )
  assert.deepEqual(outcome, ['waited', '\n', 'linux', {}, '/'])
})

test('modules without a substitute load, and name themselves when they are used', async (t) => {
  const outcome = await outcomeOf(
    t,
    `import * as child from 'child_process'
    import fs from 'fs'
    import dns from 'dns'
    import zlib from 'zlib'
    import { DatabaseSync } from 'node:sqlite'
    import { Worker } from 'worker_threads'
    import inspector from 'node:inspector/promises'
    const uses = [() => child.exec('id'), () => fs.readFileSync('/etc/passwd'), () => dns.lookup('x'), () => zlib.gzipSync(''),
      () => new DatabaseSync('x'), () => new Worker('x'), () => new inspector.Session()]
    export const run = () => uses.map((use) => { try { use() } catch (error) { return error.message.split(' of Node ')[0] } })`,
  )
  assert.deepEqual(outcome, [
    'child_process.exec',
    'fs.readFileSync',
    'dns.lookup',
    'zlib.gzipSync',
    'sqlite.DatabaseSync',
    'worker_threads.Worker',
    'inspector/promises.Session',
  ])
})

test('a socket that was given away for TLS reads no more, and breaks nothing', async (t) => {
  const outcome = await outcomeOf(
    t,
    `import net from 'node:net'
    import tls from 'node:tls'
    import { once } from 'node:events'
    const link = () => ({
      opened: Promise.resolve({ remoteAddress: '127.0.0.1' }),
      readable: new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([65])) }),
      writable: new WritableStream(),
      close: async () => {},
      startTls: link,
    })
    export async function run() {
      const plain = new net.Socket()
      const problems = []
      plain.on('error', (error) => problems.push(error.message))
      plain.use(link(), 389, ['connect'])
      await once(plain, 'connect')
      const secured = await new Promise((resolve) =>
        plain.once('data', () => resolve(tls.connect({ socket: plain }))),
      )
      await once(secured, 'data')
      await new Promise((resolve) => setTimeout(resolve, 20))
      const before = plain.destroyed
      secured.destroy()
      await once(plain, 'close')
      return { problems, before, after: plain.destroyed }
    }`,
  )
  assert.deepEqual(outcome, { problems: [], before: false, after: true })
})
