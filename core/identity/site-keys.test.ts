import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { openSiteKey } from './site-keys.ts'

let folder: string
beforeEach(async (t) => {
  folder = await mkdtemp(join(tmpdir(), 'fogbow-keys-'))
  if ('after' in t) t.after(() => rm(folder, { recursive: true }))
})

test('the key is made at the first start and is the same at every later one', async () => {
  const first = await openSiteKey(folder)
  assert.equal(await openSiteKey(folder), first)
  const key = createPublicKey({ key: Buffer.from(first, 'base64'), format: 'der', type: 'spki' })
  assert.equal(key.asymmetricKeyType, 'rsa')
  assert.equal(key.asymmetricKeyDetails?.modulusLength, 2048)
})

test('the private key is for its owner alone, and no other file is left', async () => {
  await openSiteKey(folder)
  assert.deepEqual(await readdir(join(folder, 'keys')), ['site.pem'])
  assert.equal((await stat(join(folder, 'keys/site.pem'))).mode & 0o777, 0o600)
  assert.equal((await stat(join(folder, 'keys'))).mode & 0o777, 0o700)
})

test('a damaged key is an error, not a new identity', async () => {
  await mkdir(join(folder, 'keys'))
  await writeFile(join(folder, 'keys/site.pem'), 'no key')
  await assert.rejects(openSiteKey(folder))
})
