import assert from 'node:assert/strict'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createNameResolver } from './resolve.ts'
import { startNameServer } from './testing/name-server.ts'

type Answer = Parameters<typeof startNameServer>[1]

async function openResolver(t: TestContext, answer: Answer, hosts = '') {
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-hosts-'))
  const hostsFile = join(folder, 'hosts')
  await writeFile(hostsFile, hosts)
  const server = await startNameServer(t, answer)
  const resolver = createNameResolver({ servers: [server.address], hostsFile })
  t.after(async () => {
    resolver.close()
    await rm(folder, { recursive: true })
  })
  return { ...resolver, hostsFile, asked: server.asked }
}

test('a name has the addresses of both families', async (t) => {
  const { lookUp } = await openResolver(t, () => ['192.0.2.1', '192.0.2.2', '2001:db8::1'])
  assert.deepEqual(await lookUp('a.example'), ['192.0.2.1', '192.0.2.2', '2001:db8::1'])
})

test('a name without addresses of one family has those of the other', async (t) => {
  const { lookUp } = await openResolver(t, (_name, type) => (type === 'A' ? [] : ['2001:db8::1']))
  assert.deepEqual(await lookUp('a.example'), ['2001:db8::1'])
})

test('a name that does not exist is unavailable and said so', async (t) => {
  const { lookUp } = await openResolver(t, () => undefined)
  await assert.rejects(lookUp('a.example'), {
    code: 'unavailable_provider',
    message: 'a.example has no address: ENOTFOUND',
  })
})

test('answers whose time to live is over are not used again', async (t) => {
  let answers = 0
  const { lookUp } = await openResolver(t, (_name, type) => {
    if (type === 'AAAA') return []
    answers += 1
    return [`192.0.2.${answers}`]
  })
  assert.deepEqual(await lookUp('a.example'), ['192.0.2.1'])
  assert.deepEqual(await lookUp('a.example'), ['192.0.2.2'])
})

test('the hosts file comes first, and is read again when it changes', async (t) => {
  const hosts = '# comment\n10.0.0.5 cloud.example Cloud # more\n::5\tcloud.example\nnonsense x\n'
  const { lookUp, hostsFile, asked } = await openResolver(t, () => ['192.0.2.1'], hosts)
  assert.deepEqual(await lookUp('cloud.example'), ['10.0.0.5', '::5'])
  assert.deepEqual(await lookUp('cloud'), ['10.0.0.5'])
  assert.deepEqual(asked, [])
  await writeFile(hostsFile, '10.0.0.6 cloud.example')
  await utimes(hostsFile, 1, 1)
  assert.deepEqual(await lookUp('cloud.example'), ['10.0.0.6'])
  await rm(hostsFile)
  assert.deepEqual(await lookUp('cloud.example'), ['192.0.2.1'])
})

test('localhost is this machine, whatever name servers say', async (t) => {
  const { lookUp, asked } = await openResolver(t, () => ['192.0.2.1'])
  for (const name of ['localhost', 'a.localhost'])
    assert.deepEqual(await lookUp(name), ['127.0.0.1', '::1'])
  assert.deepEqual(asked, [])
})

test('a name with very many addresses has some of them', async (t) => {
  const all = Array.from({ length: 28 }, (_, i) => `192.0.2.${i}`)
  const { lookUp } = await openResolver(t, () => all)
  assert.deepEqual(await lookUp('a.example'), all)
})

test('a resolver that is closed ends its look-ups', async (t) => {
  const { lookUp, close, asked } = await openResolver(t, () => null)
  const looking = lookUp('a.example')
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
  close()
  await assert.rejects(looking, { code: 'unavailable_provider', message: /ECANCELLED/ })
})
