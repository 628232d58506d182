import assert from 'node:assert/strict'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createVendorSchemas } from '@fogbow/sandbox/gate'
import { packageJson, temporaryFolder, writeFiles } from '../fixtures/packages.ts'
import { readPackage } from './package.ts'

const schemas = createVendorSchemas()
after(() => schemas.close())
const options = { origin: '/srv/plugin.tgz', sdkVersion: '0.1.0', schemas }

const refusals: [string, string, RegExp][] = [
  ['broken JSON', '{"name":', /^Package '\/srv\/plugin\.tgz': package\.json is no JSON/],
  ['a list', '[]', /package\.json must be a JSON object/],
  ['no name', '{"version":"1.0.0"}', /package\.json: name must be the name of an npm package/],
  ['a name that is a path', packageJson({ name: '../x' }), /: name must be/],
  [
    'a version that is none',
    packageJson({ version: 'v1' }),
    /'vendor-plugin': package\.json: version must be/,
  ],
  ['no fogbow block', packageJson({ fogbow: undefined }), /: fogbow is required/],
  [
    'a typo',
    packageJson({}, { kidns: ['image'] }),
    /^Package 'vendor-plugin': package\.json: fogbow\.kidns is not a known key/,
  ],
  [
    'an unknown kind',
    packageJson({}, { kinds: ['images'] }),
    /fogbow\.kinds\[0\] must be one of .*image/,
  ],
  [
    'an unknown capability',
    packageJson({}, { capabilities: { netwrok: [] } }),
    /fogbow\.capabilities\.netwrok is not a known key/,
  ],
  [
    'an SDK range that is none',
    packageJson({}, { sdk: 'newest' }),
    /fogbow\.sdk 'newest' must be a version range/,
  ],
  [
    'another SDK',
    packageJson({}, { sdk: '^2.0.0' }),
    /fogbow\.sdk asks for SDK \^2\.0\.0, but this site has 0\.1\.0/,
  ],
  [
    'a missing entry',
    packageJson({}, { entry: './gone.js' }),
    /fogbow\.entry '\.\/gone\.js' does not exist/,
  ],
  [
    'an entry outside',
    packageJson({}, { entry: './../outside.js' }),
    /fogbow\.entry .* lies outside the package/,
  ],
  [
    'an entry behind a link',
    packageJson({}, { entry: './link.js' }),
    /fogbow\.entry .* lies outside the package/,
  ],
  [
    'an entry that is a folder',
    packageJson({}, { entry: './lib' }),
    /fogbow\.entry '\.\/lib' is not a file/,
  ],
  [
    'a schema of another type',
    packageJson({}, { config: { type: 'string' } }),
    /fogbow\.config\.type must be 'object'/,
  ],
  [
    'a schema whose check would never end',
    packageJson(
      {},
      { config: { type: 'object', properties: { a: { type: 'string', pattern: '(a+)+$' } } } },
    ),
    /^Package 'vendor-plugin': package\.json: fogbow\.config\.properties\.a\.pattern '\(a\+\)\+\$' repeats/,
  ],
  [
    'a host name of a key that is not configured',
    packageJson({}, { capabilities: { network: ['https://{config.authUr.hostname}:*'] } }),
    /fogbow\.capabilities\.network\[0\] .* names config\.authUr/,
  ],
  [
    'a host that is no network pattern',
    packageJson({}, { capabilities: { network: ['a.b', 'tcp://a.b'] } }),
    /fogbow\.capabilities\.network\[1\] 'tcp:\/\/a\.b': tcp needs a port/,
  ],
  [
    'a host of a key that is not configured',
    packageJson({}, { capabilities: { network: ['a.b', '{config.authUr.host}'] } }),
    /fogbow\.capabilities\.network\[1\] '\{config\.authUr\.host\}' names config\.authUr/,
  ],
]

for (const [what, content, message] of refusals) {
  test(`a package.json with ${what} is refused by file and key`, async (t) => {
    const parent = await temporaryFolder(t)
    const folder = join(parent, 'plugin')
    await writeFile(join(parent, 'outside.js'), '')
    await writeFiles(folder, { 'package.json': content, 'index.js': '', 'lib/a.js': '' })
    await symlink('../outside.js', join(folder, 'link.js'))
    await assert.rejects(readPackage(folder, options), { code: 'configuration_error', message })
  })
}

test('a folder without package.json, or with a huge one, is refused', async (t) => {
  const folder = await temporaryFolder(t)
  await assert.rejects(readPackage(folder, options), /package\.json is missing/)
  await writeFile(join(folder, 'package.json'), ' '.repeat(1024 * 1024 + 1))
  await assert.rejects(readPackage(folder, options), /package\.json is larger than 1048576 bytes/)
})

test('a prerelease of the SDK serves plugins made for what it leads to', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFiles(folder, { 'package.json': packageJson({}, { sdk: '^0.1.0' }), 'index.js': '' })
  const read = await readPackage(folder, { ...options, sdkVersion: '0.1.5-beta.1' })
  assert.equal(read.license, 'not stated')
  assert.deepEqual(read.installScripts, [])
})
