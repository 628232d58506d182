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
  const text = logged('info', "log.info({ order: 'o1' }, 'one'); log.warn('two')")
  const [one, two, ...rest] = text.trimEnd().split('\n')
  const first = JSON.parse(one ?? '')
  assert.equal(first.order, 'o1')
  assert.equal(first.msg, 'one')
  assert.equal(first.site, 'site-a')
  assert.equal(JSON.parse(two ?? '').level, 'warn')
  assert.deepEqual(rest, [])
})

test('a process that ends in the middle of writing loses no line', () => {
  const text = logged(
    'info',
    "for (let n = 0; n < 500; n += 1) log.info({ n }, 'x'); process.exit(0)",
  )
  const lines = text.trimEnd().split('\n')
  const numbers = lines.map((line) => (JSON.parse(line) as { n: number }).n)
  assert.deepEqual(new Set(numbers), new Set(Array.from({ length: 500 }, (_, n) => n)))
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
