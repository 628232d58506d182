import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FogbowError } from '@fogbow/plugin-sdk'
import { openSqliteStore } from '../../store/index.ts'
import { defaultFederationSettings, type FederationSettings } from '../settings.ts'
import { makeKeyPair } from '../testing/keys.ts'
import { createVirtualTime } from '../testing/virtual-time.ts'
import { createEncryption } from './encryption.ts'
import { createPeerKeys, readConfigured } from './peer-keys.ts'
import { type PublicKey, readPublicKey, writePublicKey } from './public-key.ts'
import { openSiteKeys } from './site-keys.ts'

const log = { info() {}, warn() {}, error() {} }

async function keyRing(
  t: TestContext,
  pinned: readonly PublicKey[],
  newKeys: FederationSettings['newKeys'],
) {
  const store = await openSqliteStore(':memory:')
  t.after(() => store.close())
  const state = { settings: configured(pinned, newKeys) }
  const make = () =>
    createPeerKeys({ store, settings: () => state.settings, clock: createVirtualTime(), log })
  return { keys: make(), make, state }
}

function configured(
  pinned: readonly PublicKey[],
  newKeys: FederationSettings['newKeys'],
): FederationSettings {
  const peers = pinned.length > 0 ? { b: { keys: pinned.map(writePublicKey) } } : {}
  return { ...defaultFederationSettings, members: ['b'], newKeys, peers }
}

const texts = (...keys: PublicKey[]) => keys.map(writePublicKey)
const [old, next, later] = [makeKeyPair('sig'), makeKeyPair('sig'), makeKeyPair('sig')]
const enc = makeKeyPair('enc')

test('a key is written as kid:key or as JSON Web Key, and its name is its thumbprint', () => {
  assert.equal(readPublicKey(writePublicKey(old)).kid, old.kid)
  assert.equal(readPublicKey(writePublicKey(enc)).use, 'enc')
  assert.equal(readPublicKey({ ...old.key.export({ format: 'jwk' }) }).kid, old.kid)
  // RFC 8037, appendix A.3
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
  assert.equal(readPublicKey(jwk).kid, 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  const unreadable = [
    'x',
    `${next.kid}:${old.x}`,
    `${old.kid}:${old.x}:x`,
    { ...jwk, crv: 'P-256' },
    { ...jwk, kid: old.kid },
    { ...jwk, d: old.x },
  ]
  for (const written of unreadable)
    assert.throws(() => readPublicKey(written), { code: 'configuration_error' })
})

test('at most two keys of a member sign at a time', () => {
  assert.equal(readConfigured('b', texts(old, next, enc)).length, 3)
  assert.throws(
    () => readConfigured('b', texts(old, next, later)),
    (error) => error instanceof FogbowError && /peers\['b'\]\.keys: at most 2/.test(error.message),
  )
})

test('a member rotates its key: the next counts when the present one announces it, the old until it is dropped', async (t) => {
  const { keys, make } = await keyRing(t, [old], 'announced')
  assert.equal(keys.find('b', next.kid, 'sig'), undefined)
  await keys.learn('b', texts(old, next, enc), old.kid)
  assert.ok(keys.find('b', old.kid, 'sig') && keys.find('b', next.kid, 'sig'))
  assert.equal(keys.encryption('b')?.kid, enc.kid)
  await keys.learn('b', texts(next, enc), next.kid)
  assert.equal(keys.find('b', old.kid, 'sig'), undefined)
  await keys.learn('b', texts(next, later, enc), next.kid)
  const afterRestart = make()
  await afterRestart.load()
  for (const ring of [keys, afterRestart]) {
    assert.equal(ring.find('b', old.kid, 'sig'), undefined)
    assert.ok(ring.find('b', next.kid, 'sig') && ring.find('b', later.kid, 'sig'))
  }
})

test('what was learnt does not outlive the configured key that vouched for it', async (t) => {
  const { keys, state } = await keyRing(t, [old], 'announced')
  await keys.learn('b', texts(old, next), old.kid)
  await keys.learn('b', texts(next), next.kid)
  state.settings = configured([later], 'announced')
  assert.equal(keys.find('b', next.kid, 'sig'), undefined)
  assert.ok(keys.find('b', later.kid, 'sig'))
})

test('keys are learnt from none but the keys that count, and never where they are pinned', async (t) => {
  const { keys, state } = await keyRing(t, [old], 'announced')
  await keys.learn('b', texts(later, next), later.kid)
  await keys.learn('b', texts(next), old.kid)
  await keys.learn('b', texts(old, next, later), old.kid)
  await keys.learn('b', 'nonsense', old.kid)
  await keys.learn('c', texts(old, next), old.kid)
  assert.equal(keys.find('b', next.kid, 'sig'), undefined)
  assert.equal(keys.knows('c'), false)
  state.settings = configured([old], 'pinned')
  await keys.learn('b', texts(old, next), old.kid)
  assert.equal(keys.find('b', next.kid, 'sig'), undefined)
})

test('first keys are taken once, only where that is allowed, and give way to configured ones', async (t) => {
  const { keys, state } = await keyRing(t, [], 'announced')
  assert.equal(await keys.meet('b', texts(old)), false)
  state.settings = configured([], 'firstUse')
  assert.equal(await keys.meet('b', texts(enc)), false)
  assert.equal(await keys.meet('b', texts(old, enc)), true)
  assert.equal(await keys.meet('b', texts(next)), false)
  assert.ok(keys.find('b', old.kid, 'sig'))
  state.settings = configured([later], 'firstUse')
  assert.equal(keys.find('b', old.kid, 'sig'), undefined)
  state.settings = configured([], 'announced')
  assert.equal(keys.knows('b'), false)
})

test('keys that cannot be read stop the start, and after a reload count as none', async (t) => {
  const { keys, state } = await keyRing(t, [old], 'announced')
  state.settings = { ...state.settings, peers: { b: { keys: ['nonsense'] } } }
  await assert.rejects(keys.load(), /federation\.peers\['b'\]\.keys/)
  assert.equal(keys.knows('b'), false)
})

test('the keys of the site are made once, for its owner alone, and rotate without being lost', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-keys-'))
  t.after(() => rm(folder, { recursive: true }))
  const keys = await openSiteKeys(folder)
  const path = join(folder, 'keys', 'federation.json')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  const first = keys.signing.kid
  await assert.rejects(keys.takeNext(), /announce one first/)
  const announced = await keys.announceNext()
  assert.equal(await keys.announceNext(), announced)
  assert.equal(keys.signing.kid, first)
  assert.equal(keys.announced.length, 4)
  await keys.takeNext()
  const again = await openSiteKeys(folder)
  for (const ring of [keys, again]) {
    assert.equal(writePublicKey(ring.signing), announced)
    assert.ok(ring.announced.some((text) => text.startsWith(first)))
  }
  await again.dropFormer()
  assert.equal(again.announced.length, 2)
  assert.doesNotMatch(await readFile(path, 'utf8'), new RegExp(first))
  assert.equal(await keys.reread(), true, 'somebody else changed them')
  assert.deepEqual(keys.announced, again.announced)
  assert.equal(await keys.reread(), false)
  await writeFile(path, '{"signing":{}}')
  await assert.rejects(keys.reread(), { code: 'configuration_error' })
  await rm(path)
  await assert.rejects(keys.reread(), /it is gone/)
  assert.deepEqual(keys.announced, again.announced, 'what cannot be read changes nothing')
  await writeFile(path, '{"signing":{}}')
  await assert.rejects(openSiteKeys(folder), { code: 'configuration_error' })
})

test('keys of both kinds rotate, and what is encrypted to the key before is still read until it is dropped', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-keys-'))
  t.after(() => rm(folder, { recursive: true }))
  const keys = await openSiteKeys(folder)
  const { encrypt, decrypt } = createEncryption(() => keys.decryption)
  const { encryption: first } = keys
  const sealed = await encrypt('hello', first)
  await keys.announceNext()
  assert.equal(keys.encryption.kid, first.kid)
  await keys.takeNext()
  assert.notEqual(keys.encryption.kid, first.kid)
  assert.deepEqual(
    keys.announced.map((key) => key.split(':')[0]).includes(first.kid),
    true,
    'members may still use it',
  )
  assert.equal(await decrypt(sealed), 'hello')
  await keys.dropFormer()
  await assert.rejects(decrypt(sealed), { reason: 'undecryptable' })
  assert.equal(await decrypt(await encrypt('hello', keys.encryption)), 'hello')
})
