import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createHome } from '../../core/cli/fixtures/run-cli.ts'
import { runSite } from '../system/rest/run-site.ts'
import { ADMIN_PASSWORD } from '../system/support/site-process.ts'
import { PASSWORD } from './support/directory.ts'
import { startSlapd } from './support/slapd.ts'
import { twoSources } from './support/sources.ts'

const FREE = 3
const WRONG = 'wrong-password-4711'
const slapd = await startSlapd()
const http = { requestsPerMinute: 0, failedLoginsPerMinute: FREE, trustProxy: true }
const site = runSite(twoSources(slapd, { site: { http, log: { level: 'trace' } } }))

const logIn = (username: string, password: string, domain: string, address: string) =>
  site.process.client().post(
    '/as/tokens',
    { credentials: { username, password, domain } },
    {
      headers: { 'X-Forwarded-For': address },
    },
  )

interface Entry {
  userName: string
  source: string | null
  address: string
  outcome: string
  reason: string | null
}

const PATIENCE_MS = 60_000

/** Tries a wrong password until it is tried at all. */
async function failOnce(): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS
  for (;;) {
    const { status } = await logIn('ana', WRONG, 'staff', '192.0.2.1')
    if (status === 401) return
    assert.equal(status, 429)
    assert.ok(Date.now() < giveUpAt, 'it stays locked')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

test('wrong passwords make a user of one source wait, and a restart of the site forgives nothing', async () => {
  for (let times = 0; times < FREE + 2; times++) await failOnce()
  await site.killAndRestart()
  await failOnce()
  const locked = await logIn('ana', PASSWORD, 'staff', '192.0.2.1')
  assert.equal(locked.status, 429, 'after a restart there are no new free tries')
  assert.ok(Number(locked.headers.get('retry-after')) >= 1)
  assert.match((locked.body as { message: string }).message, /Try again in \d+ s/)
  assert.equal((await logIn('ana', PASSWORD, 'staff', '192.0.2.2')).status, 201)
  assert.equal((await logIn('admin', ADMIN_PASSWORD, 'local', '192.0.2.1')).status, 201)
})

test('a name that nobody has is answered like one with a wrong password, in both sources', async () => {
  for (const domain of ['staff', 'local']) {
    const answers = []
    for (const name of ['bob', 'admin', 'nobody-here']) {
      const { status, body } = await logIn(name, WRONG, domain, '192.0.2.3')
      answers.push([status, (body as { message: string }).message])
    }
    for (const answer of answers)
      assert.deepEqual(answer, [401, 'user name or password is wrong'], domain)
  }
})

test('who tried, from where, where and with what outcome is to be read by administrators alone', async () => {
  const ana = site.process.client()
  const answer = await logIn('ana', PASSWORD, 'staff', '192.0.2.2')
  ana.token = (answer.body as { token: string }).token
  assert.equal((await ana.get('/ras/admin/logins')).status, 403)
  const entries = (await site.admin.get('/ras/admin/logins?userName=ana&limit=100')).body as Entry[]
  const outcomes = new Set(entries.map(({ address, outcome }) => `${address} ${outcome}`))
  assert.deepEqual(outcomes, new Set(['192.0.2.1 refused', '192.0.2.1 locked out', '192.0.2.2 ok']))
  assert.ok(entries.every(({ source }) => source === 'staff'))
  const refused = (await site.admin.get('/ras/admin/logins?outcome=refused&source=local'))
    .body as Entry[]
  assert.deepEqual(
    refused.map(({ userName, reason }) => [userName, reason]),
    ['nobody-here', 'admin', 'bob'].map((name) => [name, 'user name or password is wrong']),
  )
  const metrics = String((await site.process.client().get('/metrics')).body)
  assert.match(metrics, /fogbow_logins_total\{source="staff",outcome="ok"\} \d+/)
  assert.match(metrics, /fogbow_logins_total\{source="local",outcome="refused"\} 3/)
})

test('the command line shows the same', async () => {
  const home = await createHome()
  try {
    const url = ['--url', site.process.url]
    const input = `${ADMIN_PASSWORD}\n`
    const options = [...url, '-u', 'admin', '--domain', 'local', '--password-stdin']
    const loggedIn = await home.run(['login', ...options], { input })
    assert.equal(loggedIn.code, 0, loggedIn.stderr)
    const { code, stdout, stderr } = await home.run(['logins', ...url, '--user', 'bob'])
    assert.equal(code, 0, stderr)
    assert.match(
      stdout,
      /bob\s.*local\s.*192\.0\.2\.3\s.*refused\s.*user name or password is wrong/,
    )
  } finally {
    await home.remove()
  }
})

test('no password is anywhere in what the site keeps or says', async () => {
  await site.process.end()
  const data = join(site.process.folder, 'data')
  const files = readdirSync(data, { recursive: true, withFileTypes: true })
  const texts = files
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
  assert.ok(texts.length > 1)
  for (const secret of [WRONG, PASSWORD, ADMIN_PASSWORD]) {
    assert.ok(!texts.some((text) => text.includes(secret)), secret)
    assert.ok(!site.process.output.includes(secret), secret)
  }
})
