import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { catalogueType } from '@fogbow/registry/find'
import { createSigningKey, signDocument } from '@fogbow/registry/trust'
import { runMarket } from './support/market-site.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'

const key = createSigningKey()
const folder = mkdtempSync(join(tmpdir(), 'fogbow-catalogue-'))
const place = join(folder, 'catalogue.json')

const site = runMarket({
  publish: [vendorVersion({ version: '1.0.0' }), vendorVersion({ version: '1.1.0' })],
  settings: { marketplace: { catalogues: { curated: { place, keys: [key.text] } } } },
})

/** SHA-512 of a tarball, as the registry announces it. */
async function integrityOf(version: string): Promise<string> {
  const answer = await fetch(`${site.registry.url}${vendorCloud.replace('/', '%2f')}`)
  const { versions } = (await answer.json()) as {
    versions: Record<string, { dist: { integrity: string } }>
  }
  return versions[version]?.dist.integrity ?? ''
}

function publish(sequence: number, versions: object[], more: object = {}, signer = key): void {
  const now = Date.now()
  const signed = {
    type: catalogueType,
    sequence,
    issuedAt: new Date(now - 1000).toISOString(),
    expiresAt: new Date(now + 86_400_000).toISOString(),
    plugins: [
      {
        name: vendorCloud,
        description: 'Recommended for small sites',
        kinds: ['network', 'image'],
        publisher: 'Vendor Ltd',
        screenshots: [{ url: 'https://vendor.example/1.png', caption: 'The console' }],
        versions,
        ...more,
      },
    ],
  }
  writeFileSync(place, JSON.stringify(signDocument(signed, [signer])))
}

before(() => publish(1, [{ version: '1.0.0', sdk: '^0.1.0' }]))
after(() => rmSync(folder, { recursive: true, force: true }))

test('a signed catalogue is searched and shown, with its texts, screenshots and who vetted what', async () => {
  const { market, cli } = site
  const vetting = { result: 'passed', by: 'the federation' }
  const integrity = await integrityOf('1.0.0')
  publish(2, [
    { version: '1.1.0', sdk: '^0.1.0' },
    { version: '1.0.0', sdk: '^0.1.0', integrity, vetting },
  ])
  assert.equal((await cli(['plugin', 'refresh'])).code, 0)
  const found = await cli(['plugin', 'search', 'recommended', '--kind', 'network'])
  assert.match(found.stdout, /@vendor\/cloud +1\.1\.0 +network, image +Vendor Ltd +curated/)

  const about = await cli(['plugin', 'about', `${vendorCloud}@1.0.0`])
  assert.match(about.stdout, /publisher +Vendor Ltd/)
  assert.match(about.stdout, /vetting +passed/)
  assert.match(about.stdout, /license +MIT/)
  assert.match(about.stdout, /size +\d+ KiB/)
  assert.match(about.stdout, /SCREENSHOTS\nhttps:\/\/vendor\.example\/1\.png +The console/)
  assert.match(about.stdout, /README\n# @vendor\/cloud/)
  assert.match(about.stdout, /CHANGES\n## 1\.0\.0/)
  const plan = await market.plan({ action: 'install', source: `${vendorCloud}@1.0.0` })
  const check = plan.changes[0]?.verdict?.checks.find(({ rule }) => rule === 'vetting')
  assert.deepEqual([check?.outcome, check?.message], ['passed', 'the federation has vetted it'])
})

test('known weaknesses are shown before anything is installed, and a version that failed its vetting is refused', async () => {
  const { market, cli } = site
  const vetting = { result: 'failed', by: 'the federation', report: 'it phones home' }
  const advisory = {
    id: 'CUR-7',
    package: vendorCloud,
    severity: 'critical',
    title: 'It forgets volumes',
    range: '<1.1.0',
  }
  const integrity = await integrityOf('1.1.0')
  const versions = [{ version: '1.1.0', sdk: '^0.1.0', integrity, vetting }]
  publish(3, versions, { advisories: [advisory] })
  assert.equal((await cli(['plugin', 'refresh'])).code, 0)
  const about = await cli(['plugin', 'about', `${vendorCloud}@1.0.0`])
  assert.match(about.stdout, /WEAKNESSES\ncritical CUR-7: It forgets volumes/)
  const weak = await cli(['plugin', 'install', `${vendorCloud}@1.0.0`, '--plan-only'])
  assert.match(weak.stdout, /weaknesses: CUR-7 It forgets volumes/)
  const failed = await market.plan({ action: 'install', source: `${vendorCloud}@1.1.0` })
  assert.match(failed.refusals.join(), /has vetted it, and it failed: it phones home/)
})

test('a catalogue of another signer changes nothing, and is named', async () => {
  publish(9, [{ version: '9.9.9', sdk: '*' }], {}, createSigningKey())
  const refreshed = await site.cli(['plugin', 'refresh'])
  assert.match(refreshed.stdout, /curated .*no key that this site believes has signed it/)
  const [item] = (await site.market.get<{ items: { version: string }[] }>('search')).items
  assert.equal(item?.version, '1.1.0')
})
