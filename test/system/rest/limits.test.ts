import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Answer, Client } from '../support/client.ts'
import { ADMIN_PASSWORD, siteConfig } from '../support/site-process.ts'
import { runSite } from './run-site.ts'

const REQUESTS_PER_MINUTE = 60
const FREE_FAILURES = 3
const WRONG = 'a-wrong-password-4711'
const PATIENCE_MS = 30_000
let ana: Client
let ben: Client

const site = runSite(
  {
    config: siteConfig({
      site: {
        log: { level: 'trace' },
        http: { requestsPerMinute: REQUESTS_PER_MINUTE, failedLoginsPerMinute: FREE_FAILURES },
      },
    }),
  },
  async ({ user }) => {
    ana = await user('ana')
    ben = await user('ben')
  },
)

const logIn = (username: string, password: string, headers: Record<string, string> = {}) =>
  ana.post('/as/tokens', { credentials: { username, password } }, { token: null, headers })

function assertWait({ status, headers, body }: Answer): void {
  assert.equal(status, 429)
  assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  assert.equal((body as { code: string }).code, 'too_many_requests')
  assert.match((body as { message: string }).message, /\d+ s/)
}

test('after too many wrong passwords even the right one has to wait, for that name alone, and then counts again', async () => {
  for (let failure = 0; failure < FREE_FAILURES; failure++) {
    assert.equal((await logIn('ana', WRONG)).status, 401)
  }
  assertWait(await logIn('ana', 'a-password-of-a-user'))
  assertWait(await logIn('ana', 'a-password-of-a-user', { 'X-Forwarded-For': '192.0.2.7' }))
  assert.equal((await logIn('ben', 'a-password-of-a-user')).status, 201)

  const giveUpAt = Date.now() + PATIENCE_MS
  let answer = await logIn('ana', 'a-password-of-a-user')
  while (answer.status === 429 && Date.now() < giveUpAt) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    answer = await logIn('ana', 'a-password-of-a-user')
  }
  assert.equal(answer.status, 201)
})

test('a name that nobody has is locked out like any other, so that it tells nothing', async () => {
  const answers: [number, string][] = []
  for (let failure = 0; failure < FREE_FAILURES; failure++) {
    const { status, body } = await logIn('nobody', WRONG)
    answers.push([status, (body as { message: string }).message])
  }
  const known = await logIn('ben', WRONG)
  for (const answer of answers) {
    assert.deepEqual(answer, [known.status, (known.body as { message: string }).message])
  }
  assertWait(await logIn('nobody', WRONG))
})

test('a user beyond his rate has to wait, and nobody else with him', async () => {
  let served = 0
  let answer = await ana.get('/ras/clouds')
  while (answer.status === 200) {
    served++
    assert.ok(served <= REQUESTS_PER_MINUTE, 'the rate is not limited')
    answer = await ana.get('/ras/clouds')
  }
  assertWait(answer)
  assert.equal(served, REQUESTS_PER_MINUTE)
  assertWait(await ana.post('/ras/volumes', { size: 1 }))
  assert.equal((await ben.get('/ras/clouds')).status, 200)
  assert.deepEqual((await site.admin.get('/ras/volumes/status')).body, [])
  for (const path of ['/healthz', '/readyz', '/metrics', '/', '/fns/publicKey', '/ms/members']) {
    assert.equal((await ana.get(path, { token: null })).status, 200, path)
  }
})

test('tokens that are made up are limited as well, and do not keep a good one out', async () => {
  let refused: Answer | undefined
  for (let tried = 0; tried <= REQUESTS_PER_MINUTE && refused?.status !== 429; tried++) {
    refused = await ben.get('/ras/clouds', { token: `made-up-${tried}` })
    assert.ok(refused.status === 401 || refused.status === 429)
  }
  assert.ok(refused)
  assertWait(refused)
  assert.equal((await ben.get('/ras/clouds')).status, 200)
})

test('neither a password nor a token is in the log or anywhere on the disk of the site', async () => {
  assert.match(site.process.output, /"route":"\/as\/tokens"|\/as\/tokens/)
  const secrets = [
    ADMIN_PASSWORD,
    WRONG,
    'a-password-of-a-user',
    ana.token,
    ben.token,
    site.admin.token,
  ]
  const data = join(site.process.folder, 'data')
  const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  )
  assert.ok(files.length > 3)
  for (const secret of secrets) {
    assert.ok(secret)
    assert.ok(!site.process.output.includes(secret), 'a secret is in the log')
    for (const file of files) {
      const content = readFileSync(join(file.parentPath, file.name))
      assert.ok(!content.includes(secret), `a secret is in ${file.name}`)
    }
  }
})
