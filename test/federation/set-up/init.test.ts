import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createXmppComponent } from '../../../core/federation/xmpp/index.ts'
import { loopbackAddress } from '../servers/addresses.ts'
import { type Authority, createAuthority } from '../servers/certificates.ts'
import { linkIs } from '../xmpp/site.ts'
import { type SetUp, setUpSite } from './set-up.ts'

let authority: Authority
const made: SetUp[] = []
const log = { info() {}, warn() {}, error() {} }

before(() => {
  authority = createAuthority()
})
after(() => {
  for (const each of made) each.remove()
  authority.remove()
})

async function setUp(kind: 'prosody' | 'ejabberd'): Promise<SetUp & { address: string }> {
  const address = await loopbackAddress()
  const names = { 'ras-a.site-a.test': address }
  const site = setUpSite({ siteId: 'a.site-a.test', kind, address, authority, names })
  made.push(site)
  return { ...site, address }
}

for (const kind of ['prosody', 'ejabberd'] as const)
  test(`${kind} starts with what was written for it, and takes the component with its secret only`, async () => {
    const { startServer, result, address } = await setUp(kind)
    const server = await startServer()
    const secret = readFileSync(result.secretFile, 'utf8').trim()
    const connect = (given: string) =>
      createXmppComponent(
        { jid: 'ras-a.site-a.test', host: address, port: 5347, secret: given },
        { log },
      )
    const [right, wrong] = [connect(secret), connect(`${secret}x`)]
    try {
      wrong.start()
      assert.equal((await linkIs(wrong, 'refused')).reason?.condition, 'not-authorized')
      right.start()
      await linkIs(right, 'online')
    } finally {
      await Promise.all([right.stop(), wrong.stop()])
      await server.remove()
    }
  })

test('Prosody finds nothing wrong with its configuration', async () => {
  const { folder, startServer } = await setUp('prosody')
  const server = await startServer()
  const file = join(folder, 'federation/prosody.cfg.lua')
  const { stdout, status } = spawnSync('prosodyctl', ['--config', file, 'check', 'config'], {
    encoding: 'utf8',
  })
  await server.remove()
  assert.equal(status, 0, stdout)
  assert.match(stdout, /All checks passed/)
})

test('the rules of the firewall are accepted by nft, for one machine and for two', async (t) => {
  if (!existsSync('/usr/sbin/nft') || process.getuid?.() !== 0) return t.skip('needs nft and root')
  const { folder } = await setUp('prosody')
  const init = (...args: string[]) =>
    execFileSync(
      process.execPath,
      [
        join(import.meta.dirname, '../../../core/cli/bin.mjs'),
        ...[
          'federation',
          'init',
          '--site-id',
          'a.site-a.test',
          '--address',
          '203.0.113.5',
          ...args,
        ],
      ],
      { cwd: folder, stdio: 'ignore' },
    )
  const far = [
    ...['--component-address', '10.0.0.2', '--host-address', '10.0.1.3'],
    ...['--private-network', '10.0.1.0/24', '--private-network', '2001:db8:1::/48'],
  ]
  init('--out', 'one')
  init('--out', 'two', '--address', '2001:db8::5', '--admin-network', '10.0.0.0/8', ...far)
  for (const file of [
    'one/nftables-xmpp-server.conf',
    'two/nftables-xmpp-server.conf',
    'two/nftables-gateway.conf',
    'two/nftables-host.conf',
  ])
    assert.equal(spawnSync('nft', ['-c', '-f', join(folder, file)]).status, 0, file)
})

test('secrets are readable by their owner alone, and nothing that is there is written over', async () => {
  const { folder, result } = await setUp('prosody')
  const modeOf = (path: string) => statSync(path).mode & 0o777
  assert.equal(modeOf(result.secretFile), 0o600)
  assert.equal(modeOf(join(folder, 'federation/prosody.cfg.lua')), 0o600)
  assert.equal(modeOf(join(folder, 'data/keys/federation.json')), 0o600)
  const run = (...more: string[]) =>
    spawnSync(
      process.execPath,
      [
        join(import.meta.dirname, '../../../core/cli/bin.mjs'),
        ...['federation', 'init', '--site-id', 'a.site-a.test', '--address', '192.0.2.1', '--json'],
        ...more,
      ],
      { cwd: folder, encoding: 'utf8' },
    )
  const before = readFileSync(join(folder, 'federation/dns.zone'), 'utf8')
  const again = run()
  assert.equal(again.status, 2)
  assert.match(again.stderr, /--force/)
  assert.equal(readFileSync(join(folder, 'federation/dns.zone'), 'utf8'), before)
  const forced = run('--force')
  assert.equal(forced.status, 0, forced.stderr)
  assert.deepEqual(JSON.parse(forced.stdout).keys, result.keys)
  assert.match(readFileSync(join(folder, 'federation/dns.zone'), 'utf8'), /IN A 192\.0\.2\.1/)
})
