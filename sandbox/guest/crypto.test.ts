import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { test } from 'node:test'
import { pluginSpec, testLauncher } from '../fixtures/plugin-spec.ts'
import { startSandbox } from '../index.ts'

const launcher = testLauncher()

/** Runs `body` when a plugin is created and answers what it returns. */
async function outcomeOf(body: string, config: Record<string, unknown> = {}): Promise<unknown> {
  let outcome: unknown
  const code = `
    const run = async (config) => { ${body} }
    await host.storage.set('outcome', await run(host.config))
    return { image: { getAllImages() { return [] }, getImage() {} } }`
  const keep = ([, value]: readonly unknown[]) => {
    outcome = value
  }
  const spec = pluginSpec(code, { config, host: { 'storage.set': keep } })
  await (await startSandbox(spec, { launcher })).stop()
  return outcome
}

test('keys are instances of CryptoKey, which nobody can make or fake', async () => {
  const outcome = await outcomeOf(`
    const key = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    const fake = Object.create(CryptoKey.prototype, { usages: { value: ['sign'] } })
    const failure = (use) => use().then(() => 'passed', (error) => error.message)
    let made = 'made'
    try { new CryptoKey() } catch (error) { made = error.message }
    return [key instanceof CryptoKey, Object.prototype.toString.call(key), made, Object.isFrozen(key),
      await failure(() => crypto.subtle.sign('HMAC', fake, new Uint8Array(1)))]`)
  assert.deepEqual(outcome, [
    true,
    '[object CryptoKey]',
    'Illegal constructor',
    true,
    'The key must be one made by crypto.subtle',
  ])
})

test('RSA-PSS signs what others verify, with the salt that was asked for', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = privateKey.export({ format: 'jwk' })
  const signature = await outcomeOf(
    `const key = await crypto.subtle.importKey('jwk', config.jwk, { name: 'RSA-PSS', hash: 'SHA-384' }, false, ['sign'])
    return [...new Uint8Array(await crypto.subtle.sign({ name: 'RSA-PSS', saltLength: 48 }, key, new Uint8Array(5)))]`,
    { jwk },
  )
  const bytes = Buffer.from(signature as number[])
  const key = { key: publicKey, padding: 6, saltLength: 48 }
  assert.ok(verify('sha384', Buffer.alloc(5), key, bytes))
  assert.ok(!verify('sha384', Buffer.alloc(6), key, bytes))
})

test('what is answered at once is a copy of its own, not a part of memory that others use', async () => {
  const outcome = await outcomeOf(`
    const { sync } = crypto
    const made = [sync.digest('SHA-256', new Uint8Array(1)), sync.hmac('SHA-1', new Uint8Array(1), new Uint8Array(1))]
    return made.map((bytes) => [bytes.constructor === Uint8Array, bytes.buffer.byteLength, bytes.length])`)
  assert.deepEqual(outcome, [
    [true, 32, 32],
    [true, 20, 20],
  ])
})

test('keys and inputs that would keep the thread busy are refused', async () => {
  const modulus = Buffer.alloc(9216 / 8, 0xff).toString('base64url')
  const publicKey = createPublicKey({ key: { kty: 'RSA', n: modulus, e: 'AQAB' }, format: 'jwk' })
  const large = publicKey.export({ type: 'spki', format: 'pem' })
  const outcome = await outcomeOf(
    `const failure = async (use) => { try { await use() } catch (error) { return error.message } return 'passed' }
    const { subtle, sync } = crypto
    const data = new Uint8Array(1)
    return Promise.all([
      () => sync.verify({ hash: 'SHA-256' }, config.large, data, data),
      () => sync.sign({ hash: 'SHA-256' }, 'x'.repeat(40000), data),
      () => sync.digest('SHA-256', new Uint8Array(2 ** 24 + 1)),
      () => subtle.generateKey({ name: 'RSA-PSS', hash: 'SHA-256', modulusLength: 4096 }, true, ['sign']),
    ].map(failure))`,
    { large },
  )
  const [length, pem, input, generated] = outcome as string[]
  assert.match(length ?? '', /more than 8192 bits/)
  assert.match(pem ?? '', /at most 32768 characters/)
  assert.match(input ?? '', /At most 16777216 bytes/)
  assert.match(generated ?? '', /a new key of more than 3072 bits/)
})
