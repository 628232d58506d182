import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createHome, type Home } from '../../core/cli/fixtures/run-cli.ts'
import { SiteProcess } from '../system/support/site-process.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'
import { startVerdaccio, type Verdaccio } from './support/verdaccio.ts'

const root = join(import.meta.dirname, '../..')
const official = [
  'local-identity',
  'role-authorization',
  'single-account',
  'emulated-cloud',
] as const
const nameOf = (folder: string) => `@fogbow/plugin-${folder}`

let registry: Verdaccio
let folder: string
let home: Home

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fogbow-stranger-'))
  registry = await startVerdaccio()
  for (const name of official) await registry.publish(join(root, 'plugins-official', name))
  // What they are made of; this registry knows no other.
  await registry.publish(join(root, 'node_modules/@noble/hashes'))
  await registry.publish(
    vendorVersion({
      version: '1.0.0',
      dependencies: { 'left-over': '^1.0.0' },
      imports: `import leftOver from 'left-over'`,
      atCreate: 'void leftOver',
    }),
  )
  await registry.publish({
    'package.json': JSON.stringify({
      name: 'left-over',
      version: '1.2.3',
      license: 'MIT',
      main: 'index.js',
    }),
    'index.js': 'module.exports = 1',
  })
  home = await createHome()
})
after(async () => {
  await registry?.stop()
  await home?.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** Whose plugins are named by their packages alone, as on a machine that has nothing but the site. */
function configure(policy: object): void {
  const config = {
    site: { id: 'site-a.test' },
    log: { level: 'warn' },
    plugins: {
      identity: {
        package: nameOf('local-identity'),
        config: { issuer: 'site-a.test' },
        secrets: { users: 'file:{dataDir}/users.json' },
      },
      roles: { package: nameOf('role-authorization'), config: { site: 'site-a.test' } },
      account: { package: nameOf('single-account'), config: { withoutCredentials: true } },
      emulated: { package: nameOf('emulated-cloud') },
    },
    aaa: {
      tokenGenerator: 'identity',
      federationIdentity: 'identity',
      authentication: 'identity',
      authorization: 'roles',
    },
    clouds: { emulated: { plugin: 'emulated', mapper: 'account' } },
    marketplace: { registries: { npm: { url: registry.url } }, policy },
  }
  writeFileSync(join(folder, 'fogbow.config.ts'), `export default ${JSON.stringify(config)}\n`)
}

function fogbow(args: string[], dataDir = join(folder, 'data')) {
  return home.run(['plugin', ...args, '--data-dir', dataDir], {
    env: { FOGBOW_CONFIG: join(folder, 'fogbow.config.ts'), HOME: folder },
  })
}

test('a version that this site has only just seen is refused at the command line as well', async () => {
  configure({})
  const refused = await fogbow(['install', nameOf('emulated-cloud'), '--yes'])
  assert.equal(refused.code, 1)
  assert.match(
    refused.stderr,
    /younger than 24 hours, by its registry or by when this site first saw it; try again after \d{4}-/,
  )
  assert.equal(JSON.parse((await fogbow(['list', '--json'])).stdout).length, 0)
})

test('a site is made of official plugins that its administrator installed from a registry', async () => {
  configure({ minimumAgeHours: 0 })
  for (const name of official) {
    const installed = await fogbow(['install', nameOf(name), '--yes', '--json'])
    assert.equal(installed.code, 0, installed.stderr)
  }
  const site = await SiteProcess.start({
    folder,
    env: { FOGBOW_CONFIG: join(folder, 'fogbow.config.ts') },
  })
  try {
    const admin = await site.admin()
    const id = await admin.create('/ras/computes', {
      imageId: 'debian-12',
      vCPU: 1,
      ram: 512,
      disk: 3,
    })
    await admin.until(`/ras/computes/${id}`, 'READY')
    const drift = await admin.get('/ras/admin/marketplace/drift')
    assert.deepEqual(drift.body, [])
  } finally {
    await site.end()
  }
})

test('a file made where there is a network brings plugins to a site that has none', async () => {
  const file = join(folder, 'carried.fogbow')
  const written = await fogbow(['bundle', file, vendorCloud, '--json'])
  assert.equal(written.code, 0, written.stderr)
  const [carried] = JSON.parse(written.stdout) as {
    name: string
    dependencies: { name: string }[]
  }[]
  assert.equal(carried?.name, vendorCloud)
  assert.deepEqual(
    carried?.dependencies.map(({ name }) => name),
    ['left-over'],
  )

  await registry.stop()
  const elsewhere = join(folder, 'elsewhere')
  const installed = await fogbow(['install', file, '--yes', '--json'], elsewhere)
  assert.equal(installed.code, 0, installed.stderr)
  const [plugin] = JSON.parse((await fogbow(['list', '--json'], elsewhere)).stdout)
  assert.equal(plugin.name, vendorCloud)
  assert.equal(plugin.trust.level, 'local', 'nobody vouches for what a file says of its origin')
})
