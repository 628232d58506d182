import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const demo = join(import.meta.dirname, '../../demo/run.ts')

test('the demo orders at another site, draws the way on the terminal and in a page, and leaves nothing running', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-demo-'))
  // Servers run under an account of their own.
  chmodSync(folder, 0o711)
  try {
    const page = join(folder, 'way.html')
    const { stdout, stderr, status } = spawnSync(process.execPath, [demo, page], {
      encoding: 'utf8',
      env: { ...process.env, TMPDIR: folder },
    })
    assert.equal(status, 0, stderr)
    assert.match(stdout, /federation doctor, at north.site-n.test: \d+ checks, all is well/)
    const hops = [/createOrder ─*▶/, /TLS \d+\.\d ms ─*▶/, /◀─* orderChanged/, /200, the compute/]
    for (const hop of hops) assert.match(stdout, hop)
    const drawn = readFileSync(page, 'utf8')
    assert.match(drawn, /<svg.*createOrder.*south\.site-s\.test/s)
    assert.doesNotMatch(drawn, /<script|https?:\/\//)
    const running = spawnSync('pgrep', ['-f', folder], { encoding: 'utf8' })
    assert.equal(running.stdout, '')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
