import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { readNetworkSettings, type SettingsSource } from './network-settings.ts'
import { createPrivateCa, type PrivateCa } from './testing/private-ca.ts'

let ca: PrivateCa
before(async () => {
  ca = await createPrivateCa()
})
after(() => ca.remove())

const read = (source: Partial<SettingsSource>) =>
  readNetworkSettings({
    plugin: 'cloud',
    site: {},
    own: {},
    folder: '/nowhere',
    resolveReference: (reference) => reference,
    readSecret: async (reference) => `read from ${reference}`,
    ...source,
  })

test('a plugin has what the site says, and instead of it what is said for that plugin', async () => {
  const site = { idleMs: 1000, connections: 5, noProxy: ['a.example'], dnsServers: ['192.0.2.53'] }
  const own = { idleMs: 2000, noProxy: ['b.example'] }
  const settings = await read({ site, own })
  assert.deepEqual(settings.noProxy, ['b.example'])
  assert.deepEqual(settings.dnsServers, ['192.0.2.53'])
  assert.equal(settings.limits.idleMs, 2000)
  assert.equal(settings.limits.connections, 5)
  assert.equal(settings.limits.parallelRequests, 32)
})

test('a proxy has the credentials that stand beside it, and none of the other place', async () => {
  const site = { proxy: 'http://proxy.example:3128', proxyCredentials: 'env:PROXY' }
  assert.deepEqual((await read({ site })).proxy, {
    host: 'proxy.example',
    port: 3128,
    secure: false,
    credentials: 'read from env:PROXY',
  })
  const own = { proxy: 'https://[2001:db8::1]' }
  const mine = await read({ site, own })
  assert.deepEqual(mine.proxy, { host: '2001:db8::1', port: 443, secure: true })
  assert.equal((await read({ site, own: { proxy: 'none' } })).proxy, undefined)
})

test('certificates of the site and of the plugin are trusted, from files beside the configuration', async () => {
  const [folder, file] = [dirname(ca.file), basename(ca.file)]
  const twice = await read({ site: { caFiles: [file] }, own: { caFiles: [ca.file] }, folder })
  assert.equal(twice.authorities.length, 2)
  assert.match(twice.authorities[0] ?? '', /^-----BEGIN CERTIFICATE-----/)
})

test('a file that is no certificate is told by its key', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-ca-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'empty.pem'), '')
  await writeFile(
    join(folder, 'broken.pem'),
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  )
  const files: [file: string, problem: RegExp][] = [
    ['absent.pem', /^plugins\.cloud\.network\.caFiles\[0\]: cannot read absent\.pem: ENOENT$/],
    ['empty.pem', /caFiles\[0\]: empty\.pem holds no PEM certificate$/],
    ['broken.pem', /caFiles\[0\]: certificate 1 of broken\.pem cannot be read$/],
  ]
  for (const [file, message] of files)
    await assert.rejects(read({ own: { caFiles: [file] }, folder }), {
      code: 'configuration_error',
      message,
    })
})
