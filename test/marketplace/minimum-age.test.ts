import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runMarket } from './support/market-site.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'

const HOUR_MS = 3_600_000
const hoursAgo = (hours: number) => new Date(Date.now() - hours * HOUR_MS).toISOString()
const young =
  /younger than 24 hours, by its registry or by when this site first saw it; try again after \d{4}-/

const site = runMarket({
  publish: [vendorVersion({ version: '1.0.0' })],
  settings: { policy: { minimumAgeHours: 24 } },
})

const source = (version: string) => `${vendorCloud}@${version}`
const firstSeen = () => join(site.process.folder, 'data/plugins/first-seen.json')

/** As if this site had seen a version so long ago. */
function seen(version: string, hours: number): void {
  const sightings = JSON.parse(readFileSync(firstSeen(), 'utf8')) as Record<string, { at: string }>
  const keys = Object.keys(sightings).filter((key) => key.startsWith(`${source(version)} sha512-`))
  assert.equal(keys.length, 1, 'looking started the clock')
  for (const key of keys) sightings[key] = { at: hoursAgo(hours) }
  writeFileSync(firstSeen(), JSON.stringify(sightings))
}

/** What speaks against a version, by each of the ways in: REST, the command line at the site, and that beside it. */
async function refusals(version: string): Promise<string[]> {
  const { market, cli, process } = site
  const plan = await market.plan({ action: 'install', source: source(version) })
  const install = ['plugin', 'install', source(version), '--plan-only', '--json']
  const atSite = await cli(install)
  const beside = await cli([...install, '--data-dir', join(process.folder, 'data')], {
    env: { FOGBOW_CONFIG: join(process.folder, 'fogbow.config.ts') },
  })
  const printed = [atSite, beside].map(({ stdout }) => JSON.parse(stdout) as typeof plan)
  return [plan, ...printed].map((one) => one.refusals.join())
}

test('a version waits by both clocks, however it is to be installed, and is let in when it is old by both', async () => {
  for (const refusal of await refusals('1.0.0')) assert.match(refusal, young)
  site.registry.backdate(vendorCloud, '1.0.0', '2020-01-01T00:00:00.000Z')
  for (const refusal of await refusals('1.0.0'))
    assert.match(refusal, young, 'whatever the registry says, this site has just seen it')
  seen('1.0.0', 23)
  for (const refusal of await refusals('1.0.0')) assert.match(refusal, young)
  seen('1.0.0', 25)
  assert.deepEqual(await refusals('1.0.0'), ['', '', ''])
  site.registry.backdate(vendorCloud, '1.0.0', hoursAgo(1))
  for (const refusal of await refusals('1.0.0'))
    assert.match(refusal, young, 'a version that was published an hour ago is no older')
  site.registry.backdate(vendorCloud, '1.0.0', '2020-01-01T00:00:00.000Z')
  await site.market.install('1.0.0')
  assert.equal(await site.market.answeredBy(), '1.0.0')
})

test('an upgrade of everything leaves out what is too young, says so, and takes it once it is old enough', async () => {
  const { market, registry } = site
  await registry.publish(vendorVersion({ version: '1.1.0' }))
  registry.backdate(vendorCloud, '1.1.0', '2020-01-01T00:00:00.000Z')
  const upgrade = { action: 'upgrade' }
  const early = await market.plan(upgrade)
  assert.deepEqual(early.changes, [])
  assert.match(early.notes.join(), /@vendor\/cloud@1\.1\.0: It is younger than 24 hours/)
  assert.match(early.refusals.join(), /Nothing to upgrade/)
  seen('1.1.0', 25)
  await market.change(upgrade)
  assert.equal(await market.answeredBy(), '1.1.0')
})

test('the drift report starts the clock of newer versions, so that they are old enough when somebody wants them', async () => {
  const { market, registry, cli } = site
  await registry.publish(vendorVersion({ version: '1.2.0' }))
  assert.deepEqual(await market.drift(), [])
  const { code, stdout } = await cli(['plugin', 'drift', '--refresh'])
  assert.equal(code, 0)
  assert.match(stdout, /newer version +@vendor\/cloud +@vendor\/cloud@1\.2\.0 suits this site/)
  seen('1.2.0', 25)
  assert.equal((await market.drift())[0]?.kind, 'newer version', 'it is known from now on')
})
