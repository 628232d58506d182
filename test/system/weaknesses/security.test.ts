import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { loadConfig } from '../../../core/config/index.ts'
import { siteSettings } from '../faults/site-settings.ts'
import { runSite } from '../rest/run-site.ts'
import { ADMIN_PASSWORD, SiteProcess } from '../support/site-process.ts'

const root = join(import.meta.dirname, '../../..')
const small = { imageId: 'tiny', vCPU: 1, ram: 512 }
const rule = { protocol: 'TCP', direction: 'IN', portFrom: 22, portTo: 22, cidr: '10.0.0.0/8' }

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'fogbow-security-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

describe('a site that writes all it knows into its log', () => {
  const site = runSite({
    config: siteSettings({
      log: { level: 'trace' },
      http: { failedLoginsPerMinute: 3, requestsPerMinute: 0 },
      plugins: {
        account: {
          config: { withoutCredentials: false },
          secrets: { credentials: 'env:CLOUD_KEY' },
        },
      },
    }),
    env: { CLOUD_KEY: 'the-key-of-the-cloud' },
  })
  const known: string[] = [ADMIN_PASSWORD, 'the-key-of-the-cloud', 'wrong-password']

  test('35: a security rule can be deleted through its own network by its owner alone', async () => {
    const [ana, bob] = [await site.user('ana'), await site.user('bob')]
    const ids = await Promise.all(
      [ana, bob].map(async (user) => {
        const id = await user.create('/ras/networks', { cidr: '10.5.0.0/24' })
        await user.until(`/ras/networks/${id}`, 'READY')
        return id
      }),
    )
    const rules = (id: string | undefined) => `/ras/networks/${id}/securityRules`
    const mine = await ana.create(rules(ids[0]), rule)
    assert.equal((await bob.delete(`${rules(ids[0])}/${mine}`)).status, 403)
    assert.equal((await bob.delete(`${rules(ids[1])}/${mine}`)).status, 404)
    assert.equal(((await ana.get(rules(ids[0]))).body as unknown[]).length, 1)
    assert.equal((await ana.delete(`${rules(ids[0])}/${mine}`)).status, 200)
    known.push(ana.token ?? '', bob.token ?? '')
  })

  test('36: a token cannot be changed, lasts as long as it says, and is signed with nothing weak', async () => {
    const token = site.admin.token ?? ''
    for (let at = 0; at < token.length; at += 7) {
      const other = token[at] === 'A' ? 'B' : 'A'
      const forged = token.slice(0, at) + other + token.slice(at + 1)
      const { status } = await site.admin.get('/as/user', { token: forged })
      assert.equal(status, 401, `character ${at}`)
    }
    const { expiresAt } = (await site.admin.get('/as/user')).body as { expiresAt: number }
    assert.ok(expiresAt > Date.now() && expiresAt <= Date.now() + 86_400_000)
    const [head = '', claims = ''] = token
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString())
    assert.match(head, /"alg":"(EdDSA|Ed25519|ES256|HS256|HS512)"/)
    for (const name of ['iss', 'aud', 'exp', 'jti', 'sub'])
      assert.match(claims, new RegExp(`"${name}"`))
  })

  test('40: no page of another origin gets to use what a browser remembers of the site', async () => {
    const headers = { Origin: 'https://evil.example' }
    const { headers: answered } = await site.admin.get('/ras/computes/status', { headers })
    assert.equal(answered.get('access-control-allow-credentials'), null)
    assert.equal(answered.get('set-cookie'), null)
  })

  test('42: without a token nobody learns which orders exist', async () => {
    const id = await site.admin.create('/ras/networks', {})
    await site.admin.until(`/ras/networks/${id}`, 'READY')
    const ask = async (order: string) => {
      const answers = [
        await site.admin.get(`/ras/networks/${order}`, { token: null }),
        await site.admin.get(`/ras/networks/${order}/securityRules`, { token: null }),
        await site.admin.delete(`/ras/networks/${order}/securityRules/x`, { token: null }),
      ]
      return answers.map(({ status, body }) => [status, (body as { message: string }).message])
    }
    const there = await ask(id)
    assert.deepEqual(there, await ask('00000000-0000-4000-8000-000000000000'))
    assert.ok(there.every(([status]) => status === 401))
  })

  test('43: guessing passwords is answered with 401, recorded, and soon with waiting', async () => {
    const login = () =>
      site.admin.post('/as/tokens', {
        credentials: { username: 'eve', password: 'wrong-password' },
      })
    const statuses: number[] = []
    for (let index = 0; index < 5; index += 1) statuses.push((await login()).status)
    assert.deepEqual(statuses.slice(0, 3), [401, 401, 401])
    assert.equal(statuses.at(-1), 429)
    const audit = await site.admin.get('/ras/admin/audit?userId=eve')
    const entries = audit.body as { operation: string; response: string }[]
    assert.ok(entries.length >= 3)
    assert.ok(entries.every((entry) => entry.operation === 'login' && entry.response !== 'ok'))
  })

  test('45: no rule that nobody asked for opens a network or an address to the world', async () => {
    const network = await site.admin.create('/ras/networks', {})
    const compute = await site.admin.create('/ras/computes', small)
    await site.admin.until(`/ras/computes/${compute}`, 'READY')
    const ip = await site.admin.create('/ras/publicIps', { computeId: compute })
    await site.admin.until(`/ras/publicIps/${ip}`, 'READY')
    await site.admin.until(`/ras/networks/${network}`, 'READY')
    for (const path of [`networks/${network}`, `publicIps/${ip}`]) {
      const { status, body } = await site.admin.get(`/ras/${path}/securityRules`)
      assert.deepEqual([status, body], [200, []])
    }
  })

  test('46: who logs out is out: his token is worth nothing any more', async () => {
    const ana = await site.process.admin()
    assert.equal((await ana.get('/as/user')).status, 200)
    assert.equal((await ana.delete('/as/tokens')).status, 200)
    assert.equal((await ana.get('/as/user')).status, 401)
    known.push(ana.token ?? '')
  })

  test('44: its log contains no password, no token and no key, at its most talkative', async () => {
    known.push(site.admin.token ?? '')
    assert.ok(site.process.output.includes('"level"'), 'it does write a log')
    assert.equal(await site.process.end(), 0)
    assert.ok(site.process.output.length < 200_000, 'nothing of it was dropped')
    for (const secret of known) {
      assert.ok(secret.length > 10)
      assert.ok(!site.process.output.includes(secret), `${secret.slice(0, 4)}… is in the log`)
      const signature = secret.split('.').at(-1) ?? secret
      assert.ok(!site.process.output.includes(signature))
    }
  })
})

test('34: an authorization plugin that answers false is obeyed, in every operation', async () => {
  const source = join(folder, 'never')
  mkdirSync(source)
  const fogbow = { sdk: '^0.1.0', kinds: ['authorization'], entry: './index.js' }
  const about = { name: 'never', version: '1.0.0', type: 'module', fogbow }
  writeFileSync(join(source, 'package.json'), JSON.stringify(about))
  const code =
    'export default { create: () => ({ authorization: { isAuthorized: async () => false } }) }'
  writeFileSync(join(source, 'index.js'), code)
  const config = siteSettings({ plugins: { roles: { package: source } } })
  const site = await SiteProcess.start({ config })
  try {
    const admin = await site.admin()
    const denied = [
      await admin.post('/ras/computes', small),
      await admin.post('/ras/volumes', { size: 1 }),
      await admin.get('/ras/computes/status'),
      await admin.get('/ras/clouds'),
      await admin.get('/ras/images/site-a.test/emulated'),
      await admin.get('/ras/computes/quota/site-a.test/emulated'),
      await admin.get('/ras/computes/allocation/site-a.test/emulated'),
      await admin.post('/ras/admin/reload'),
      await admin.get('/ras/admin/plugins'),
      await admin.get('/ras/admin/audit'),
    ]
    const statuses = denied.map(({ status }) => status)
    assert.deepEqual(new Set(statuses), new Set([403]), `${statuses}`)
  } finally {
    await site.stop()
  }
})

/** Text files that are handed out with the project, without what others made. */
function* shipped(at = root): Generator<string> {
  const skipped = new Set(['node_modules', '.git', 'coverage', 'data', 'test', 'package-lock.json'])
  for (const entry of readdirSync(at, { withFileTypes: true })) {
    const path = join(at, entry.name)
    if (skipped.has(entry.name) || /\.test\.ts$|fixtures|testing$/.test(entry.name)) continue
    if (entry.isDirectory()) yield* shipped(path)
    else if (/\.(ts|mjs|cjs|js|json|md|ya?ml|html|pem|key|env)$/.test(entry.name)) yield path
  }
}

test('37: nothing that is handed out contains a private key', () => {
  const files = [...shipped()]
  assert.ok(files.length > 100)
  for (const file of files)
    assert.doesNotMatch(readFileSync(file, 'utf8'), /-----BEGIN [A-Z ]*PRIVATE KEY-----/, file)
})

test('39: nothing that runs or configures a site contains a password or a token', () => {
  const secret = /\b(password|passwd|secret|token)['"]?\s*[:=]\s*['"][^'"$<…{}\s]{4,}['"]/i
  for (const file of shipped())
    if (!file.endsWith('.md')) assert.doesNotMatch(readFileSync(file, 'utf8'), secret, file)
})

test('39: each new site makes its own password and keys, and keeps of the password a hash only', async () => {
  const sites = await Promise.all(
    [1, 2].map(() =>
      SiteProcess.start({ config: siteSettings({}), env: { FOGBOW_ADMIN_PASSWORD: '' } }),
    ),
  )
  try {
    const passwords = await Promise.all(sites.map((site) => site.says(/password {2,}(\S+)/)))
    assert.equal(new Set(passwords).size, 2)
    const keys = await Promise.all(
      sites.map(async (site) => JSON.stringify((await site.client().get('/as/publicKey')).body)),
    )
    assert.equal(new Set(keys).size, 2)
    for (const [index, site] of sites.entries()) {
      const password = passwords[index] ?? ''
      assert.ok(password.length >= 16)
      assert.match(await site.client().login('admin', password), /^\S+$/)
      const users = readFileSync(join(site.folder, 'data/users.json'), 'utf8')
      assert.ok(users.includes('scrypt') && !users.includes(password))
    }
  } finally {
    await Promise.all(sites.map((site) => site.stop()))
  }
})

test('38: a site listens for this machine alone unless told otherwise', async (t) => {
  const { config } = await loadConfig({ cwd: root, env: {} })
  assert.equal(config.http.host, '127.0.0.1')
  const site = await SiteProcess.start({ config: siteSettings({}) })
  t.after(() => site.stop())
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)
  const address = outside?.address ?? '127.0.0.2'
  await assert.rejects(fetch(`http://${address}:${new URL(site.url).port}/healthz`))
  assert.equal((await site.client().get('/healthz')).status, 200)
})

test('39: the configuration that is delivered holds secrets as references only', async () => {
  const { config } = await loadConfig({ cwd: root, env: {} })
  const references = Object.values(config.plugins).flatMap((plugin) =>
    Object.values(plugin.secrets),
  )
  assert.ok(references.length > 0)
  for (const reference of references) assert.match(reference, /^(env|file):/)
})
