import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { alice, applied, newMarketplace } from '../fixtures/marketplace.ts'
import { npmRegistry } from '../fixtures/npm-registry.ts'
import { answerOf, newRegistry, plugin, temporaryFolder } from '../fixtures/packages.ts'
import type { Candidate } from '../trust/candidate.ts'

const name = '@vendor/cloud'
const nowhere = { npm: { registry: 'http://127.0.0.1:1/', fetchRetries: 0 } }

const usesHelper = {
  ...plugin('', { name, dependencies: { helper: '^1.0.0' } }),
  'answer.js': `export { answer } from 'helper'`,
  'fogbow.signature.json': '{"signature":"of the vendor"}',
}
const helper = {
  'package.json': '{"name":"helper","version":"1.0.0","dependencies":{"deep":"npm:deeper@1"}}',
  'index.js': `exports.answer = require('deep')`,
}
const deeper = {
  'package.json': '{"name":"deeper","version":"1.3.0"}',
  'index.js': `module.exports = 'from deep'`,
}

/** A file with `@vendor/cloud` and another plugin, made where there is a network. */
async function bundleFile(t: TestContext, packages = [`${name}@^1.0.0`]): Promise<string> {
  const npm = await npmRegistry(t, [plugin('other', { name: 'other-plugin' }), helper, deeper])
  const signatures = [{ keyid: 'k', sig: 's' }]
  npm.publish(usesHelper, { signatures, attestations: [{ a: 'bundle' }] })
  const { marketplace } = await newMarketplace(t, { npm: { registry: npm.registry } })
  const file = join(await temporaryFolder(t), 'plugins.fogbow')
  await marketplace.exportBundle(packages, file)
  return file
}

test('a plugin with all it depends on is carried to a site without a network, and keeps its name and evidence', async (t) => {
  const file = await bundleFile(t)
  const candidates: Candidate[] = []
  const { marketplace, directory } = await newMarketplace(t, {
    ...nowhere,
    judge: async (candidate) => {
      candidates.push(candidate)
      return { level: 'local', checks: [], refusals: [] }
    },
  })
  const carried = await marketplace.importBundle(file)
  assert.deepEqual(
    carried.map(({ integrity: _, dependencies, ...rest }) => ({
      ...rest,
      dependencies: dependencies.map((one) => one.name),
    })),
    [
      {
        name,
        version: '1.0.0',
        registry: 'npm',
        source: file,
        dependencies: ['deeper', 'helper'],
      },
    ],
  )
  const plan = await marketplace.plan({ action: 'install', source: file }, alice)
  assert.deepEqual(plan.refusals, [])
  await applied(marketplace, plan)
  const { registry } = await newRegistry(t, { directory })
  assert.equal(await answerOf(registry, name), 'from deep')

  const [candidate] = candidates
  assert.equal(candidate?.sourceKind, 'tarball', 'nobody vouches for what a file says of itself')
  assert.equal(candidate?.registry, 'npm')
  assert.equal(candidate?.publishedAt, '2020-01-01T00:00:00.000Z')
  assert.deepEqual(candidate?.registrySignatures, [{ keyid: 'k', sig: 's' }])
  assert.deepEqual(candidate?.attestations, [{ a: 'bundle' }])
  assert.deepEqual(candidate?.vendorSignature, { signature: 'of the vendor' })
  assert.equal(candidate?.announcedIntegrity, candidate?.integrity)
})

test('of several packages in a file, one is named', async (t) => {
  const file = await bundleFile(t, [name, 'other-plugin'])
  const { marketplace } = await newMarketplace(t, nowhere)
  const carried = await marketplace.importBundle(file)
  const sources = carried.map(({ source }) => source)
  assert.deepEqual(sources, [`${file}#${name}`, `${file}#other-plugin`])
  for (const source of sources) {
    await applied(marketplace, await marketplace.plan({ action: 'install', source }, alice))
  }
  const { plugins } = await marketplace.current()
  assert.deepEqual(
    plugins.map((one) => [one.name, one.registry]),
    [
      [name, 'npm'],
      ['other-plugin', 'npm'],
    ],
  )
  await assert.rejects(marketplace.plan({ action: 'install', source: file }, alice), {
    code: 'invalid_parameter',
    message: /holds @vendor\/cloud@1\.0\.0, other-plugin@1\.0\.0; name one of them/,
  })
})

test('a file that was cut off, changed, or is something else is refused wherever it was damaged', async (t) => {
  const file = await bundleFile(t)
  const whole = await readFile(file)
  const { marketplace, directory } = await newMarketplace(t, nowhere)
  const tarball = whole.indexOf(Buffer.from([0x1f, 0x8b, 0x08]))
  const changed = (at: number, byte: number) => {
    const copy = Buffer.from(whole)
    copy[at] = byte
    return copy
  }
  const index = whole.toString('latin1')
  const damaged: [Buffer, RegExp][] = [
    [whole.subarray(0, tarball + 100), /missing|truncated|ended|announced/i],
    [whole.subarray(0, 512), /holds no fogbow-bundle\.json|truncated|is no JSON/i],
    [changed(tarball + 40, 0x55), /is announced, and sha512-.* is there/],
    [
      Buffer.from(index.replace('"formatVersion": 1', '"formatVersion": 2'), 'latin1'),
      /formatVersion/,
    ],
    [
      Buffer.from(index.replace('helper@^1.0.0', 'helper@^9.0.0'), 'latin1'),
      /'helper@\^1\.0\.0' is not in it/,
    ],
    [
      Buffer.from(index.replaceAll('@vendor/cloud', '@vendor/clown'), 'latin1'),
      /@vendor\/clown@1\.0\.0 was asked for, and its package\.json says @vendor\/cloud/,
    ],
    [gzipSync(whole), /./],
  ]
  for (const [bytes, message] of damaged) {
    const path = join(await temporaryFolder(t), 'damaged.fogbow')
    await writeFile(path, bytes)
    const request = { action: 'install', source: path } as const
    await assert.rejects(marketplace.importBundle(path), { code: 'configuration_error' })
    await assert.rejects(marketplace.plan(request, alice), { code: 'configuration_error', message })
  }
  assert.equal((await marketplace.current()).number, 0)
  assert.deepEqual(
    (await readdir(directory)).filter((entry) => entry === 'store'),
    [],
  )
})

test('a file that cannot be written is not left half', async (t) => {
  const npm = await npmRegistry(t, [plugin('x', { name: 'other-plugin' })])
  const { marketplace } = await newMarketplace(t, { npm: { registry: npm.registry } })
  const folder = await temporaryFolder(t)
  const file = join(folder, 'plugins.fogbow')
  await assert.rejects(marketplace.exportBundle(['other-plugin', 'never-published'], file), {
    code: 'invalid_parameter',
  })
  assert.deepEqual(await readdir(folder), [])
})
