import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign, verify } from 'node:crypto'
import { after, test } from 'node:test'
import { build } from 'esbuild'
import { bundleSpec, imageSpec, testLauncher } from '../fixtures/plugin-spec.ts'
import { runCode } from '../fixtures/run-code.ts'
import { testResults } from '../fixtures/test-results.ts'
import { type PluginLogLine, type Sandbox, type SandboxSpec, startSandbox } from '../index.ts'

const launcher = testLauncher()
const started: Sandbox[] = []
after(() => Promise.all(started.map((sandbox) => sandbox.stop())))

async function start(spec: SandboxSpec): Promise<Sandbox> {
  const sandbox = await startSandbox(spec, { launcher })
  started.push(sandbox)
  return sandbox
}

testResults(launcher, 'plugins have what they expect', [
  ['TextEncoder', "return [...new TextEncoder().encode('aä€')]", [97, 195, 164, 226, 130, 172]],
  [
    'TextDecoder in parts',
    'const d = new TextDecoder(); return d.decode(new Uint8Array([226, 130]), { stream: true }) + d.decode(new Uint8Array([172]))',
    '€',
  ],
  [
    'a strict TextDecoder',
    "try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255])) } catch (error) { return error.name }",
    'TypeError',
  ],
  ['atob and btoa', "return [btoa('ab\\xff'), atob('YWL/') === 'ab\\xff']", ['YWL/', true]],
  [
    'structuredClone',
    'const a = { d: new Date(5), m: new Map([[1, { x: [1, 2] }]]), s: new Set([1]), b: new Uint8Array([1, 2]) }; a.self = a; const c = structuredClone(a); return [c !== a, c.self === c, c.d.getTime(), c.m.get(1).x, c.s.has(1), [...c.b]]',
    [true, true, 5, [1, 2], true, [1, 2]],
  ],
  [
    'structuredClone of a function',
    'try { structuredClone({ f() {} }) } catch (error) { return error.name }',
    'DataCloneError',
  ],
  [
    'Headers',
    "const h = new Headers({ 'X-A': '1' }); h.append('x-a', '2'); h.append('B', '3'); return [h.get('X-a'), [...h], h.has('c')]",
    [
      '1, 2',
      [
        ['b', '3'],
        ['x-a', '1, 2'],
      ],
      false,
    ],
  ],
  [
    'Headers refuses line breaks',
    "try { new Headers({ a: 'x\\r\\nb: y' }) } catch (error) { return error.name }",
    'TypeError',
  ],
  [
    'Request and Response',
    "const r = new Request('https://h/', { method: 'put', body: 'x' }); const s = new Response(new Uint8Array([104, 105])); return [r.method, await r.clone().text(), await r.text(), await s.text(), s.ok, await Response.json({ a: 1 }).json()]",
    ['PUT', 'x', 'x', 'hi', true, { a: 1 }],
  ],
  [
    'a body is read once',
    "const r = new Response('x'); await r.text(); return r.text().catch((error) => error.name)",
    'TypeError',
  ],
  [
    'EventTarget',
    "const seen = []; const t = new EventTarget(); t.addEventListener('a', (event) => seen.push(event.type), { once: true }); t.dispatchEvent(new Event('a')); t.dispatchEvent(new Event('a')); return seen",
    ['a'],
  ],
  [
    'AbortSignal',
    "const c = new AbortController(); const any = AbortSignal.any([c.signal]); let n = 0; any.addEventListener('abort', () => n++); c.abort(); c.abort(); return [any.aborted, n, any.reason.name, AbortSignal.abort('x').reason]",
    [true, 1, 'AbortError', 'x'],
  ],
  [
    'AbortSignal.timeout',
    'const s = AbortSignal.timeout(1); await host.clock.sleep(10); return s.reason.name',
    'TimeoutError',
  ],
  [
    'timers',
    "const seen = []; const t = setInterval(() => { seen.push('i'); if (seen.length === 2) clearInterval(t) }, 1); setTimeout((a) => seen.push(a), 15, 't'); setImmediate(() => 0); clearTimeout(setTimeout(() => seen.push('never'), 1)); await host.clock.sleep(30); return seen",
    ['i', 'i', 't'],
  ],
  [
    'sleep that is given up',
    'const c = new AbortController(); setTimeout(() => c.abort(), 1); return host.clock.sleep(60000, c.signal).catch((error) => error.name)',
    'AbortError',
  ],
  [
    'Date and Math',
    'return [typeof Date.now(), Math.random() < 1, new Date(0).toISOString()]',
    ['number', true, '1970-01-01T00:00:00.000Z'],
  ],
  ['Float64Array', 'return [...new Float64Array([1.5]), ...new Float32Array([0.5])]', [1.5, 0.5]],
  [
    'process',
    'return [process.platform, process.cwd(), Object.keys(process.env), process.version]',
    ['linux', '/', [], 'v0.0.0'],
  ],
  ['self and global', 'return [self === globalThis, global === self]', [true, true]],
  ['performance', 'return typeof performance.now()', 'number'],
  ['randomUUID', 'return /^[0-9a-f-]{36}$/.test(crypto.randomUUID())', true],
  ['getRandomValues', 'return crypto.getRandomValues(new Uint32Array(8)).some((n) => n > 0)', true],
  [
    'digest',
    "const d = await crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc')); return [d instanceof ArrayBuffer, d.byteLength, new Uint8Array(d)[0]]",
    [true, 32, 0xba],
  ],
  [
    'a key that may not leave',
    "const k = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']); return crypto.subtle.exportKey('raw', k).catch((error) => error.name)",
    'InvalidAccessError',
  ],
  [
    'a key for another use',
    "const k = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['verify']); return crypto.subtle.sign('HMAC', k, new Uint8Array(1)).catch((error) => error.name)",
    'InvalidAccessError',
  ],
  [
    'a forged key',
    "return crypto.subtle.sign('HMAC', { type: 'secret', usages: ['sign'] }, new Uint8Array(1)).catch((error) => error.name)",
    'TypeError',
  ],
  ['key derivation is not there', 'return typeof crypto.subtle.deriveBits', 'undefined'],
  [
    'classic prototypes',
    "function E() {} E.prototype = Object.create(Error.prototype); E.prototype.constructor = E; const o = {}; o.hasOwnProperty = 1; o.toString = () => 'x'; return [new E() instanceof Error, String(o)]",
    [true, 'x'],
  ],
  ['flat of nested lists', 'return [1, [2, [3, [4]]]].flat(Infinity)', [1, 2, 3, 4]],
  [
    'an error of the platform is one of the plugin',
    "const seen = []; for (const run of [() => atob('%'), () => btoa('\u20ac'), () => new TextDecoder('none'), () => new URL('%')]) { try { run() } catch (error) { seen.push(error.name, Reflect.ownKeys(Object.getPrototypeOf(error)).length > 0 && Object.isFrozen(Object.getPrototypeOf(error))) } } const key = await crypto.subtle.importKey('pkcs8', new Uint8Array(8), { name: 'Ed25519' }, false, ['sign']).catch((error) => error); return [...seen, Object.getPrototypeOf(key) === Error.prototype]",
    [
      'InvalidCharacterError',
      true,
      'InvalidCharacterError',
      true,
      'RangeError',
      true,
      'TypeError',
      true,
      true,
    ],
  ],
])
test('what a plugin prints becomes lines of its log, cut and without internals', async () => {
  const lines: PluginLogLine[] = []
  const sandbox = await start(
    imageSpec(
      `console.log('a', 1, { b: 2 }, new Error('x'), undefined)
       console.error('y'.repeat(5000))
       host.log.warn('careful', { field: 1, loop: undefined })
       const loop = {}; loop.loop = loop
       host.log.info('loop', loop)
       host.log.info({ toString() { throw 1 }, toJSON() { throw 2 } })`,
      { onLog: (line) => lines.push(line) },
    ),
  )
  await runCode(sandbox)
  assert.deepEqual(lines[0], { level: 'info', message: 'a 1 {"b":2} Error: x undefined' })
  assert.equal(lines[1]?.message.length, 1024)
  assert.deepEqual(lines.slice(2), [
    { level: 'warn', message: 'careful', fields: { field: 1 } },
    { level: 'info', message: 'loop' },
    { level: 'info', message: '[object]' },
  ])
})

const user = { id: '', identityProviderId: 'lab', name: 'ann', roles: [] }

/** A plugin whose answer may be any object, made by `body` from `id`. */
function mapperSpec(body: string): SandboxSpec {
  const code = `module.exports = { create: () => ({ federationToLocalMapper: { async getToken({ id }) { ${body} } } }) }`
  return bundleSpec(code, { kinds: ['federationToLocalMapper'] })
}

test('signatures of every algorithm are those of Node', async () => {
  const sandbox = await start(
    mapperSpec(`
      const { subtle } = crypto
      const data = new TextEncoder().encode('data')
      const algorithms = {
        ed: [{ name: 'Ed25519' }, { name: 'Ed25519' }],
        ec: [{ name: 'ECDSA', namedCurve: 'P-256' }, { name: 'ECDSA', hash: 'SHA-256' }],
        rsa: [{ name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, 'RSASSA-PKCS1-v1_5'],
      }
      const [make, use] = algorithms[id]
      const pair = await subtle.generateKey(make, true, ['sign', 'verify'])
      const signature = await subtle.sign(use, pair.privateKey, data)
      const jwk = await subtle.exportKey('jwk', pair.publicKey)
      const again = await subtle.importKey('jwk', jwk, make, true, ['verify'])
      const spki = await subtle.importKey('spki', await subtle.exportKey('spki', pair.publicKey), make, true, ['verify'])
      const pkcs8 = await subtle.importKey('pkcs8', await subtle.exportKey('pkcs8', pair.privateKey), make, true, ['sign'])
      const { key_ops, ext, ...key } = jwk
      return {
        key,
        signature: btoa(String.fromCharCode(...new Uint8Array(signature))),
        verified: [await subtle.verify(use, again, signature, data), await subtle.verify(use, spki, signature, data), await subtle.verify(use, again, await subtle.sign(use, pkcs8, data), data)],
        tampered: await subtle.verify(use, again, signature, new TextEncoder().encode('other')),
      }`),
  )
  for (const [id, digest] of [
    ['ed', null],
    ['ec', 'sha256'],
    ['rsa', 'sha256'],
  ] as const) {
    const made = (await sandbox.call('federationToLocalMapper.getToken', [{ ...user, id }])) as {
      key: object
      signature: string
      verified: boolean[]
      tampered: boolean
    }
    const key = { key: made.key, format: 'jwk', dsaEncoding: 'ieee-p1363' } as const
    assert.equal(
      verify(digest, Buffer.from('data'), key as never, Buffer.from(made.signature, 'base64')),
      true,
      id,
    )
    assert.deepEqual([made.verified, made.tampered], [[true, true, true], false], id)
  }
})

async function bundleWithJose(source: string): Promise<string> {
  const result = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'browser',
    conditions: ['worker', 'browser', 'import'],
    target: 'es2022',
  })
  return result.outputFiles[0]?.text ?? ''
}

test('the library jose signs and verifies with HS256 and EdDSA, and agrees with Node', async () => {
  const code = await bundleWithJose(`
    import * as jose from 'jose'
    export default {
      create(host) {
        const secret = new TextEncoder().encode('0123456789abcdef0123456789abcdef')
        const works = {
          async hs256() {
            const token = await new jose.SignJWT({ role: 'admin' }).setProtectedHeader({ alg: 'HS256' }).setIssuer('site').setExpirationTime('1h').sign(secret)
            const { payload } = await jose.jwtVerify(token, secret, { issuer: 'site' })
            const bad = await jose.jwtVerify(token.slice(0, -3) + 'AAA', secret).catch((error) => error.code)
            return { token, role: payload.role, bad }
          },
          async eddsa() {
            const { publicKey, privateKey } = await jose.generateKeyPair('EdDSA', { extractable: true })
            const token = await new jose.SignJWT({ sub: 'ann' }).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey)
            const pem = await jose.exportSPKI(publicKey)
            const { payload } = await jose.jwtVerify(token, await jose.importSPKI(pem, 'EdDSA'))
            const fromJwk = await jose.importJWK(await jose.exportJWK(privateKey), 'EdDSA')
            const again = await new jose.SignJWT({ sub: 'bob' }).setProtectedHeader({ alg: 'EdDSA' }).sign(fromJwk)
            return { sub: payload.sub, again: (await jose.jwtVerify(again, publicKey)).payload.sub }
          },
          async foreign() {
            const { jwk, token } = host.config
            return (await jose.jwtVerify(token, await jose.importJWK(jwk, 'EdDSA'))).payload
          },
        }
        return { image: { getAllImages() { return [] }, async getImage(id) { return { id, name: JSON.stringify(await works[id]()), size: 1, status: 'ACTIVE' } } } }
      },
    }`)
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode({ alg: 'EdDSA' })}.${encode({ sub: 'node' })}`
  const token = `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`
  const sandbox = await start(
    bundleSpec(code, { config: { jwk: publicKey.export({ format: 'jwk' }), token } }),
  )
  const hs256 = (await runCode(sandbox, 'hs256')) as { token: string; role: string; bad: string }
  const [header, payload, signature] = hs256.token.split('.')
  const expected = createHmac('sha256', '0123456789abcdef0123456789abcdef')
    .update(`${header}.${payload}`)
    .digest('base64url')
  assert.deepEqual(
    [hs256.role, hs256.bad, signature],
    ['admin', 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', expected],
  )
  assert.deepEqual(await runCode(sandbox, 'eddsa'), { sub: 'ann', again: 'bob' })
  assert.deepEqual(await runCode(sandbox, 'foreign'), { sub: 'node' })
})
