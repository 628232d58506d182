import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SECRET, startFakeServer } from '../federation/xmpp/testing/fake-server.ts'

let folder: string
const bin = join(import.meta.dirname, 'bin.mjs')

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'fogbow-rendezvous-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

function start(config: object) {
  const file = join(folder, 'rendezvous.config.json')
  writeFileSync(file, JSON.stringify(config))
  const env = { ...process.env, SECRET }
  const child = spawn(process.execPath, [bin, 'rendezvous', '--config', file], { env })
  const output = { text: '' }
  child.stderr.on('data', (text) => {
    output.text += text
  })
  child.stdout.resume()
  return { child, output }
}

test('fogbow rendezvous connects, says its key, and ends when it is told to', async (t) => {
  const server = await startFakeServer()
  t.after(() => server.close())
  const xmpp = { host: '127.0.0.1', port: server.port, secret: 'env:SECRET' }
  const { child, output } = start({ jid: 'meet.test', xmpp, members: { list: ['ras-a.test'] } })
  const stream = await server.stream()
  assert.equal(stream.jid, 'meet.test')
  while (!output.text.includes('key ')) await once(child.stderr, 'data')
  assert.match(output.text, /Rendezvous meet\.test is ready[\s\S]*key +[\w-]{43}:[\w-]{43} /)
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
})

test('a configuration that lets in nobody in particular is refused in one line', async () => {
  const xmpp = { secret: 'env:SECRET' }
  for (const members of [{}, { list: [], anybody: true }, { file: 'no-such-file' }]) {
    const { child, output } = start({ jid: 'meet.test', xmpp, members })
    const [code] = await once(child, 'exit')
    assert.equal(code, 1)
    assert.match(output.text, /^fogbow rendezvous: .*members.*\n$/i)
  }
})
