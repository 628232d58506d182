import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

/** Logs in a process of its own and answers what it wrote to standard output. */
function logged(level: string, statement: string): string {
  const script = `import { createLog } from ${JSON.stringify(join(import.meta.dirname, 'log.ts'))}
    const log = createLog('${level}', 'site-a'); ${statement}`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, NODE_V8_COVERAGE: '' },
  })
  assert.equal(stderr, '')
  return stdout
}

test('a log that goes to no terminal is one JSON object per line that names the site', () => {
  const lines = logged('info', "log.info({ order: 'o1' }, 'one'); log.warn('two'); process.exit(0)")
  const [one, two, rest] = lines.split('\n')
  const first = JSON.parse(one ?? '')
  assert.equal(first.order, 'o1')
  assert.equal(first.msg, 'one')
  assert.equal(first.site, 'site-a')
  assert.equal(JSON.parse(two ?? '').level, 'warn')
  assert.equal(rest, '')
})

test('the level decides what is written', () => {
  assert.equal(logged('warn', "log.info('nothing'); log.debug('nothing')"), '')
  assert.equal(logged('silent', "log.error('nothing')"), '')
})

test('what is named like a secret is never written', () => {
  const text = logged(
    'trace',
    `log.trace({ password: 'hunter2', credentials: { username: 'ana', password: 'hunter2' },
      request: { token: 'hunter2', tokenValue: 'hunter2', secret: 'hunter2' } }, 'login')`,
  )
  assert.ok(text.includes('login'))
  assert.ok(!text.includes('hunter2'), text)
})
