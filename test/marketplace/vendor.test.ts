import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { type MarketSite, marketConfig, startMarketSite } from './support/market-site.ts'
import { mirror } from './support/mirror.ts'
import { startVerdaccio, type Verdaccio } from './support/verdaccio.ts'

const NAME = '@acme/acme-cloud'
const TARBALL = 'acme-acme-cloud-0.1.0.tgz'
const REPORT = 'fogbow.conformance-report.json'

let home: string
let registry: Verdaccio
let site: MarketSite
/** Public text of the vendor's key. */
let publicKey: string
let startedAt: number

const plugin = () => join(home, 'acme-cloud')

/** What a vendor types, on a machine that knows this registry alone. */
function type(
  command: string,
  args: string[],
  cwd = plugin(),
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    HOME: home,
    PATH: [join(plugin(), 'node_modules/.bin'), dirname(process.execPath), process.env.PATH].join(
      delimiter,
    ),
    npm_config_userconfig: registry.npmrc,
    npm_config_cache: join(home, 'cache'),
    npm_config_update_notifier: 'false',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  }
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    )
  })
}

async function typed(command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await type(command, args)
  assert.equal(code, 0, `${command} ${args.join(' ')}\n${stdout}\n${stderr}`)
  return stdout
}

function tell(t: TestContext, what: string): void {
  t.diagnostic(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s after nothing`)
}

before(async () => {
  home = mkdtempSync(join(tmpdir(), 'fogbow-vendor-'))
  registry = await startVerdaccio()
  await mirror(registry, [
    'create-fogbow-plugin',
    '@fogbow/core',
    '@fogbow/registry',
    '@fogbow/plugin-emulated-cloud',
    '@fogbow/plugin-local-identity',
    '@fogbow/plugin-role-authorization',
    '@fogbow/plugin-single-account',
  ])
})
after(async () => {
  await site?.stop()
  await registry?.stop()
  rmSync(home, { recursive: true, force: true })
})

test('npm create gives a plugin whose own tests pass', async (t) => {
  startedAt = performance.now()
  const created = await type('npm', ['create', '--yes', 'fogbow-plugin', NAME], home)
  assert.equal(created.code, 0, created.stderr)
  assert.match(created.stdout, /files are in acme-cloud/)
  tell(t, 'the files')
  await typed('npm', 'install')
  tell(t, 'all that it needs')
  const tested = await typed('npm', 'test', '--', '--test-reporter=tap')
  assert.match(tested, /# pass [1-9]\d/)
  assert.match(tested, /# fail 0/)
  tell(t, 'a working plugin with tests')
})

test('what the marketplace objects to in a fresh plugin is what only its author can say', async () => {
  const fresh = await type('npm', ['run', 'validate', '--', '--json'])
  assert.equal(fresh.code, 1, 'the README is that of the template')
  const file = join(plugin(), 'package.json')
  const fields = JSON.parse(readFileSync(file, 'utf8'))
  const own = { author: 'Acme', repository: 'https://code.example/acme/acme-cloud' }
  writeFileSync(file, JSON.stringify({ ...fields, ...own }, null, 2))
  const about = `Offers the computes, images, flavors and quotas of the Acme cloud to a federation. The setting \`project\`
names the project of the cloud in which instances are made. It needs no network and no secrets, and keeps in its storage
which instances belong to which order.`
  writeFileSync(join(plugin(), 'README.md'), `# Acme cloud\n\n${about}\n`)
  await typed('npm', 'run', 'validate', '--', '--strict')
})

test('it is tested in a sandbox, reported on, signed, packed and published', async (t) => {
  publicKey = (await typed('npm', 'run', '--silent', 'key')).trim()
  await typed('npm', 'run', 'release')
  tell(t, 'a tested plugin, signed')
  const listed = await typed('tar', '-tzf', TARBALL)
  for (const name of ['fogbow.signature.json', 'fogbow.sbom.json', REPORT])
    assert.match(listed, new RegExp(`^package/${name}$`, 'm'))
  await typed('npx', 'fogbow-plugin', 'validate', TARBALL, '--key', publicKey, '--strict')
  await typed('npm', 'publish', TARBALL)
  tell(t, 'published')
})

test('a running site installs it by the key of its vendor, which its policy names, and serves with it', async (t) => {
  const publishers = { acme: { packages: ['@acme/*'], keys: [publicKey] } }
  const config = marketConfig({
    registry: registry.url,
    policy: { publishers, minimumTrust: 'verified', requireConformanceReport: true },
    plugins: { acme: { package: NAME, config: { project: 'physics' } } },
    site: {
      clouds: {
        emulated: { plugin: 'emulated', mapper: 'account' },
        acme: { plugin: 'acme', mapper: 'account' },
      },
    },
  })
  site = await startMarketSite({ folder: mkdtempSync(join(home, 'site-')), config })
  const { market, cli } = site
  const plan = await market.plan({ action: 'install', source: NAME })
  assert.deepEqual(plan.refusals, [])
  const { verdict } = plan.changes[0] ?? {}
  assert.equal(verdict?.level, 'verified')
  const outcomes = Object.fromEntries(verdict?.checks.map((one) => [one.rule, one.outcome]) ?? [])
  assert.deepEqual(
    [outcomes.integrity, outcomes.publisher, outcomes.conformance],
    ['passed', 'passed', 'passed'],
  )
  await market.apply(plan)
  tell(t, 'installed at a site')

  const { bundleHash } = await market.plugin('acme')
  const key = ['--key', publicKey, '--bundle', String(bundleHash)]
  await typed('npx', 'fogbow-plugin', 'verify-report', REPORT, ...key)
  const compute = {
    cloudName: 'acme',
    imageId: 'example-image',
    vCPU: 1,
    ram: 1024,
    disk: 10,
  }
  const id = await market.client.create('/ras/computes', compute)
  await market.client.until(`/ras/computes/${id}`, 'READY')
  const reference = await cli(['plugin', 'reference', 'acme'])
  assert.match(reference.stdout, /project.*Project of the cloud in which instances are made/)
  assert.equal(
    JSON.parse((await cli(['plugin', 'show', 'acme', '--json'])).stdout).isolation,
    'worker',
  )
})

test('what somebody else publishes under its name, or without a report, the site refuses', async () => {
  const { market } = site
  const set = (version: string) => typed('npm', 'version', version, '--no-git-tag-version')
  await set('0.1.1')
  await typed('npm', 'publish')
  const unsigned = await market.plan({ action: 'upgrade', package: NAME })
  assert.match(unsigned.refusals.join('\n'), /not by publisher 'acme': it brings no signature/)

  await set('0.1.2')
  rmSync(join(plugin(), REPORT))
  await typed('npx', 'fogbow-plugin', 'pack', '--key', 'fogbow-vendor.key')
  await typed('npm', 'publish', TARBALL.replace('0.1.0', '0.1.2'))
  const unreported = await market.plan({ action: 'upgrade', package: NAME })
  assert.equal(unreported.refusals.length, 1, unreported.refusals.join('\n'))
  assert.match(unreported.refusals[0] ?? '', /No conformance report speaks for it: it brings none/)
})
