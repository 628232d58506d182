import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { marketConfig, runMarket } from './support/market-site.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'
import { startVerdaccio, type Verdaccio } from './support/verdaccio.ts'

const companyCloud = '@company/cloud'

/** A registry of a company, which shows nothing to strangers. */
let company: Verdaccio

const site = runMarket({ publish: [vendorVersion({ version: '1.0.0' })] })

before(async () => {
  company = await startVerdaccio('$authenticated')
  await company.publish(vendorVersion({ name: companyCloud, version: '1.0.0' }))
})
after(() => company?.stop())

/** What is written into the configuration beside the registry of everybody. */
async function reloadWith(access: object | undefined): Promise<{ code: number; problem: string }> {
  const { registry, process, cli } = site
  const registries = {
    npm: { url: registry.url },
    ...(access && { company: { url: company.url, scopes: ['@company'], ...access } }),
  }
  const config = marketConfig({ registry: registry.url, marketplace: { registries } })
  writeFileSync(join(process.folder, 'fogbow.config.ts'), config)
  const { code, stderr } = await cli(['reload'])
  return { code: Number(code), problem: stderr }
}

const planned = (version = '') =>
  site.market.plan({ action: 'install', source: companyCloud + version })

test('a registry, its scope and its token are taken up by a reload, and a token that cannot be read is named', async () => {
  await assert.rejects(planned(), /the npm registry has no|404|not found/)
  assert.equal((await reloadWith({})).code, 0)
  await assert.rejects(planned(), /@company\/cloud/, 'it asks who is there')

  const absent = await reloadWith({ token: 'file:{dataDir}/token-of-company' })
  assert.equal(absent.code, 1)
  assert.match(absent.problem, /marketplace\.registries\.company\.token/)
  writeFileSync(join(site.process.folder, 'data/token-of-company'), company.token)
  assert.equal((await reloadWith({ token: 'file:{dataDir}/token-of-company' })).code, 0)
  const plan = await planned()
  assert.deepEqual(plan.refusals, [])
  await site.market.apply(plan)
  const found = await site.market.get<{ items: { name: string; source: string }[] }>('search')
  assert.deepEqual(found.items.map(({ name, source }) => [name, source]).sort(), [
    [companyCloud, 'company'],
    [vendorCloud, 'npm'],
  ])
})

test('what has the name of a company’s package in the registry of everybody is neither found nor installed', async () => {
  await site.registry.publish(vendorVersion({ name: companyCloud, version: '9.0.0' }))
  await assert.rejects(planned('@9.0.0'), /no '@company\/cloud@9\.0\.0'/)
  const upgrade = await site.market.plan({ action: 'upgrade', package: companyCloud })
  assert.match(upgrade.refusals.join(), /Nothing to upgrade: .*1\.0\.0 is the newest/)
  const about = await site.market.get<{ versions: { version: string }[] }>(
    `packages/${encodeURIComponent(companyCloud)}`,
  )
  assert.deepEqual(
    about.versions.map(({ version }) => version),
    ['1.0.0'],
  )
  const other = { action: 'install', source: `${companyCloud}@9.0.0`, registry: 'npm' }
  const plan = await site.market.plan(other)
  assert.ok(plan.needsAcceptance.includes('registry company → npm'), plan.needsAcceptance.join())
})

test('a registry that is taken out of the configuration is asked no more', async () => {
  assert.equal((await reloadWith(undefined)).code, 0)
  const upgrade = await site.market.plan({ action: 'upgrade', package: companyCloud })
  assert.match(upgrade.refusals.join(), /came from registry 'company', which is not configured/)
})

test('registry, scope and token of an .npmrc serve where the configuration names none', async () => {
  const { folder } = site.process
  const { host } = new URL(company.url)
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of npm's own
  const token = '${COMPANY_TOKEN}'
  writeFileSync(
    join(folder, '.npmrc'),
    `registry=${site.registry.url}\n@company:registry=${company.url}\n//${host}/:_authToken=${token}\n`,
  )
  const file = join(folder, 'by-npmrc.config.ts')
  const marketplace = { registries: {}, policy: { minimumAgeHours: 0 } }
  writeFileSync(file, marketConfig({ registry: site.registry.url, marketplace }))
  const install = (env: Record<string, string>) =>
    site.cli(
      ['plugin', 'install', companyCloud, '--yes', '--data-dir', join(folder, 'elsewhere')],
      { env: { FOGBOW_CONFIG: file, HOME: folder, ...env } },
    )
  const refused = await install({})
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /@company\/cloud/)
  const installed = await install({ COMPANY_TOKEN: company.token })
  assert.equal(installed.code, 0, installed.stderr)
  assert.match(installed.stdout, /install @company\/cloud@1\.0\.0/)
})
