import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createHome, type Home } from './fixtures/run-cli.ts'
import { startStubSite } from './fixtures/stub-site.ts'

let home: Home
/** Only listens: that is all that the doctor needs of a server while the site holds the link. */
let server: Server
let config: object

before(async () => {
  home = await createHome()
  server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await writeFile(join(home.folder, 'secret'), 'correct horse battery\n')
  config = {
    site: { id: 'a.site-a.test' },
    plugins: { local: { package: 'x' } },
    aaa: {
      ...{ tokenGenerator: 'local', federationIdentity: 'local' },
      ...{ authentication: 'local', authorization: 'local' },
    },
    clouds: { lab: { plugin: 'local', mapper: 'local' } },
    members: { list: ['b.site-b.test'] },
    federation: { xmpp: { host: '127.0.0.1', port, secret: 'file:./secret' } },
  }
  await writeConfig(config)
})
after(async () => {
  server.close()
  await home.remove()
})

const writeConfig = (written: object) =>
  writeFile(join(home.folder, 'fogbow.config.json'), JSON.stringify(written))
const run = (args: string[], env: Record<string, string> = {}) =>
  home.run(['federation', ...args], { cwd: home.folder, env })

interface Finding {
  check: string
  about: string
  verdict: string
  found: string
  advice?: string
}

/** As an administrator who is logged in at the site, which answers with this report. */
async function doctor(report: object, ...args: string[]) {
  const site = await startStubSite({
    'GET /site.json': { body: { id: 'a.site-a.test' } },
    'GET /ras/admin/federation': { body: report },
  })
  try {
    return await run(['doctor', '--hosts', 'hosts', ...args], {
      FOGBOW_URL: site.url,
      FOGBOW_TOKEN: 'token',
    })
  } finally {
    await site.close()
  }
}

const answered = { kind: 'answered', latencyMs: 12, kid: 'k', clockDifferenceMs: 3 }
const member = {
  ...{ id: 'b.site-b.test', dialect: 'own', pinned: ['k'], isKnown: true, ping: answered },
}
const report = { link: { state: 'online' }, keys: ['k:x'], members: [member] }

test('the doctor asks the running site for what only it knows, and fails when one check fails', async () => {
  const { port } = server.address() as { port: number }
  await writeFile(join(home.folder, 'hosts'), '127.0.0.1 ras-a.site-a.test\n')
  const { code, stdout, stderr } = await doctor(report, '--json', '--resolver', '127.0.0.1')
  const findings: Finding[] = JSON.parse(stdout)
  const said = (check: string) => findings.find((each) => each.check === check)
  assert.equal(said('component port')?.about, `127.0.0.1:${port}`)
  assert.equal(said('component secret')?.verdict, 'ok')
  assert.match(said('signed ping')?.found ?? '', /signed, in 12 ms/)
  // There is no DNS server.
  assert.equal(findings.find(({ about }) => about === 'ras-b.site-b.test')?.verdict, 'fault')
  assert.equal(code, 1)
  assert.match(stderr, /1 of \d+ checks failed/)
})

test('on a terminal each finding has a sign, words, and what to do', async () => {
  const ping = { kind: 'refused', reason: 'unknown-key' }
  const { code, stdout } = await doctor({ ...report, members: [{ ...member, ping }] })
  assert.equal(code, 1)
  assert.match(stdout, /^✓ configuration/m)
  assert.match(
    stdout,
    /^✗ signed ping +b\.site-b\.test\n {4}b\.site-b\.test does not know our key/m,
  )
  assert.match(stdout, /→ .*fogbow federation key show/)
})

test('members that only a rendezvous told the site of are looked at as well', async () => {
  const other = { ...member, id: 'c.site-c.test' }
  const { stdout } = await doctor({ ...report, members: [member, other] }, '--json')
  const findings: Finding[] = JSON.parse(stdout)
  assert.ok(findings.some(({ check, about }) => check === 'signed ping' && about === other.id))
})

test('a member without signatures is a warning, and its name says why', async () => {
  const java = { ...member, dialect: 'java', pinned: [], isKnown: false }
  const ping = { kind: 'answered', latencyMs: 12 }
  const { stdout } = await doctor({ ...report, members: [{ ...java, ping }] }, '--json')
  const keys = (JSON.parse(stdout) as Finding[]).find(({ check }) => check === 'keys')
  assert.equal(keys?.verdict, 'warning')
  assert.match(keys?.found ?? '', /signs nothing/)
})

test('a configuration that is missing, alone, or without its secret is named first', async () => {
  const { federation: _, ...alone } = config as { federation: object }
  const cases: [object, RegExp][] = [
    [alone, /no section federation.*federation init/s],
    [{ ...config, sight: {} }, /sight/],
    [{ ...config, federation: { xmpp: { secret: 'file:./none' } } }, /cannot read .*none: ENOENT/],
  ]
  try {
    for (const [written, words] of cases) {
      await writeConfig(written)
      const { code, stdout } = await run(['doctor'])
      assert.equal(code, 1)
      assert.match(stdout, words)
    }
  } finally {
    await writeConfig(config)
  }
})

test('keys are shown, announced, taken and dropped; each step says what comes next', async () => {
  const rows = async (...args: string[]) => {
    const { stdout, stderr, code } = await run(['key', ...args, '--json'])
    assert.equal(code, 0, stderr)
    return { said: JSON.parse(stdout), stderr }
  }
  const uses = (keys: { use: string }[]) => keys.map(({ use }) => use)
  const first = (await rows('show')).said.keys
  assert.deepEqual(uses(first), ['signs', 'is encrypted to'])
  const { said, stderr } = await rows('next')
  assert.match(stderr, /A running site announces.*key rotate/)
  assert.equal((await rows('next')).said.next, said.next)
  const coming = ['signs', 'signs next', 'is encrypted to', 'is encrypted to next']
  assert.deepEqual(uses((await rows('show')).said.keys), coming)
  const rotated = (await rows('rotate')).said
  const going = ['signs', 'signed before', 'is encrypted to', 'was encrypted to before']
  assert.deepEqual(uses(rotated), going)
  assert.equal(rotated[3].key, first[1].key)
  assert.equal(rotated[0].key, said.next)
  assert.equal(rotated[1].key, first[0].key)
  assert.deepEqual(uses((await rows('rotate', '--finish')).said), ['signs', 'is encrypted to'])
  const again = await run(['key', 'rotate'])
  assert.equal(again.code, 1)
  assert.match(again.stderr, /no next key; announce one first/)
  const text = (await run(['key', 'show'])).stdout
  assert.ok(text.includes(`'a.site-a.test': { keys: [`) && text.includes(said.next))
})

test('init finds the id and the data directory in the configuration, and refuses another id', async () => {
  const made = await run(['init', '--address', '203.0.113.5', '--json'])
  assert.equal(made.code, 0, made.stderr)
  const { siteId, jid, secretFile } = JSON.parse(made.stdout)
  assert.deepEqual([siteId, jid], ['a.site-a.test', 'ras-a.site-a.test'])
  assert.equal(secretFile, join(home.folder, 'data/keys/xmpp-component.secret'))
  const secret = (await readFile(secretFile, 'utf8')).trim()
  assert.equal(secret.length, 32)
  assert.doesNotMatch(made.stdout + made.stderr, new RegExp(secret))
  const other = await run(['init', '--site-id', 'b.site-a.test', '--address', '203.0.113.5'])
  assert.equal(other.code, 2)
  assert.match(other.stderr, /must be equal/)
})

test('what cannot be right is refused before anything is written', async () => {
  const cases: [string[], RegExp][] = [
    [['--address', 'site.example'], /no IP address/],
    [['--address', '203.0.113.5', '--component-port', '70000'], /no port/],
    [['--address', '203.0.113.5', '--domain', 'else.example'], /not in the zone else\.example/],
    [['--address', '203.0.113.5', '--member', 'B'], /no DNS name/],
    [['--address', '203.0.113.5', '--admin-network', '10.0.0.0/40'], /no network/],
    [['--address', '203.0.113.5', '--private-network', '10.0.0.0/8'], /in none of the private/],
    [['--address', '203.0.113.5', '--authority', 'a"; os.exit()'], /has characters/],
  ]
  for (const [args, words] of cases) {
    const { code, stderr } = await run(['init', '--out', 'never', ...args])
    assert.equal(code, 2, stderr)
    assert.match(stderr, words)
  }
  await assert.rejects(readFile(join(home.folder, 'never/dns.zone')), { code: 'ENOENT' })
})
