import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestEdge } from '../testing/test-edge.ts'

const script = '<script>alert(1)</script>'

test('nothing that a plugin or a member is called becomes markup on the front page', async (t) => {
  const edge = await startTestEdge(t)
  const { operations } = edge
  const site = operations.site()
  const plugin = { ...site.plugins[0], name: script, reason: `'"${script}` }
  const cloud = { name: script, isDefault: false, plugins: { [script]: script }, health: script }
  edge.answer('site', () => ({
    ...site,
    id: script,
    clouds: [cloud],
    plugins: [plugin],
    members: [script],
  }))
  const html = await (await edge.fetch('/')).text()
  assert.ok(html.includes('&lt;script&gt;'))
  assert.ok(!html.includes(script))
})

test('the front page shows site, clouds, plugins and members', async (t) => {
  const edge = await startTestEdge(t)
  const html = await (await edge.fetch('/')).text()
  for (const text of ['site-a', 'c1', 'emulated', 'site-b', 'href="/docs"'])
    assert.ok(html.includes(text), text)
})

test('pages load from this site alone', async (t) => {
  const edge = await startTestEdge(t)
  for (const path of ['/', '/docs']) {
    const response = await edge.fetch(path)
    const policy = response.headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'/)
    assert.doesNotMatch(policy, /unsafe|https?:|\*/)
    const html = await response.text()
    assert.doesNotMatch(html, /(?:src|href)="https?:/)
    assert.doesNotMatch(html, /<style|style=|onclick=|<script>/)
    for (const [, linked = ''] of html.matchAll(/(?:src|href)="(\/[^"]*\.(?:js|css))"/g))
      assert.equal((await edge.fetch(linked)).status, 200, linked)
  }
})
