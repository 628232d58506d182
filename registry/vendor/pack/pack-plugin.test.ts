import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sdkVersion } from '@fogbow/plugin-sdk'
import { createVendorSchemas } from '@fogbow/sandbox/gate'
import { type BuiltPlugin, buildPackage } from '../../build-plugin.ts'
import { readTarball } from '../../fetch/tarball.ts'
import type { CycloneDx } from '../../plan/cyclone-dx.ts'
import { createJudge } from '../../trust/judge.ts'
import { readPolicy } from '../../trust/policy.ts'
import type { SigningKey } from '../../trust/signing-key.ts'
import { signatureFile } from '../../trust/vendor-signature.ts'
import { createKeyFile, readKeyFile, readPublicKey } from '../key-file.ts'
import { packPlugin } from './pack-plugin.ts'
import { allFiles, packedFiles, sbomFile } from './packed-files.ts'
import { writeTarball } from './write-tarball.ts'

const command = join(import.meta.dirname, '../fogbow-plugin.mjs')
const longName = `${'long/'.repeat(30)}name.js`

let home: string
let folder: string
let key: SigningKey

before(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'fogbow-pack-')))
  folder = join(home, 'acme-cloud')
  key = await createKeyFile(join(home, 'vendor.key'))
  const fields = {
    name: '@vendor/acme-cloud',
    version: '1.2.3',
    description: 'Images of Acme',
    license: 'MIT',
    fogbow: { sdk: '^0.1.0', kinds: ['image'], entry: './index.js' },
    dependencies: { '@fogbow/plugin-sdk': '^0.1.0', 'left-pad': '^1.3.0' },
    files: ['index.js', 'long'],
  }
  await writeFiles({
    'package.json': JSON.stringify(fields),
    'index.js': `import pad from 'left-pad'
import { name } from './${longName}'
export default { create: () => ({ image: {
  getAllImages: async () => [{ id: 'a', name: pad(name) }],
  getImage: async (id) => ({ id, name }),
} }) }`,
    [longName]: "export const name = 'Übung'",
    'README.md': '# Acme',
    'notes.txt': 'not in `files`',
    'node_modules/left-pad/package.json':
      '{"name":"left-pad","version":"1.3.0","license":"WTFPL","main":"index.js"}',
    'node_modules/left-pad/index.js': 'module.exports = (text) => text.padStart(9)',
    'node_modules/unused/package.json': '{"name":"unused","version":"1.0.0"}',
  })
})
after(() => rm(home, { recursive: true }))

async function writeFiles(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

async function packInto(name: string) {
  const into = join(home, name)
  await mkdir(into)
  return packPlugin({ folder, key, into })
}

/** As a site does it that has the dependency from its registry. */
async function builtFrom(file: string): Promise<BuiltPlugin> {
  const schemas = createVendorSchemas()
  const leftPad = writeTarball(await allFiles(join(folder, 'node_modules/left-pad')))
  try {
    return await buildPackage(
      {
        source: file,
        sourceKind: 'tarball',
        tarball: await readTarball(file),
        evidence: {},
        dependencies: {
          async fetch(specifier) {
            assert.equal(specifier, 'left-pad@^1.3.0')
            const tarball = { bytes: leftPad, integrity: 'sha512-of-the-registry' }
            return { name: 'left-pad', version: '1.3.0', tarball }
          },
        },
      },
      { sdkVersion, schemas },
    )
  } finally {
    await schemas.close()
  }
}

function judge(publicText: string) {
  const acme = { keys: [publicText], packages: ['@vendor/*'], level: 'verified' }
  const policy = readPolicy({ publishers: { acme } })
  return createJudge({
    policy: () => policy,
    siteId: 'site-a',
    provenance: { problemOf: async () => 'there is none' },
    registryKeys: () => [],
    revocations: async () => ({ heeded: [], stale: [] }),
    clock: { now: Date.now },
  })
}

test('a site that knows the key takes a packed tarball as verified', async () => {
  const { file } = await packInto('judged')
  const { candidate } = await builtFrom(file)
  const { level, publisher, refusals } = await judge(key.text)(candidate)
  assert.deepEqual(refusals, [])
  assert.equal(level, 'verified')
  assert.equal(publisher, 'acme')
})

test('a site that knows another key for the name refuses it', async () => {
  const { file } = await packInto('judged-by-another')
  const { candidate } = await builtFrom(file)
  const other = await createKeyFile(join(home, 'other.key'))
  const { refusals } = await judge(other.text)(candidate)
  assert.deepEqual(
    refusals.map(({ rule }) => rule),
    ['publisher'],
  )
})

test('the bundle that pack announces is the bundle that a site makes', async () => {
  const { file, bundleHash } = await packInto('announced')
  assert.equal((await builtFrom(file)).plugin.hash, bundleHash)
})

test('the bill of materials names what is in the bundle, and not what is only installed', async () => {
  const { file } = await packInto('listed')
  const { candidate } = await builtFrom(file)
  assert.ok(candidate.files.some(({ path }) => path === sbomFile))
  const bytes = await unpackedFile(file, sbomFile)
  const { metadata, components } = JSON.parse(bytes) as CycloneDx
  assert.equal(metadata.component.purl, 'pkg:npm/%40vendor/acme-cloud@1.2.3')
  assert.deepEqual(
    components.map(({ purl }) => purl),
    ['pkg:npm/left-pad@1.3.0'],
  )
})

test('the same files and key give the same bytes, whenever and with whatever times they are packed', async () => {
  const first = await packInto('first')
  await utimes(join(folder, 'index.js'), new Date(0), new Date(0))
  await chmod(join(folder, 'index.js'), 0o755)
  const second = await packInto('second')
  assert.deepEqual(await readFile(first.file), await readFile(second.file))
  assert.equal(first.integrity, second.integrity)
})

test('what npm packs is what is packed, and nothing of an earlier signature', async () => {
  await writeFiles({ [signatureFile]: '{}', [sbomFile]: '{}' })
  const files = [...(await packedFiles(folder)).keys()]
  assert.deepEqual(files, ['README.md', 'index.js', longName, 'package.json'])
  const { files: packed } = await packInto('packed')
  assert.deepEqual(packed, [...files, signatureFile, sbomFile].sort())
  await rm(join(folder, signatureFile))
  await rm(join(folder, sbomFile))
})

test('tar reads the tarball, long names included', async () => {
  const { file } = await packInto('read')
  const listed = await output('tar', ['-tzf', file])
  assert.ok(listed.includes(`package/${longName}`), listed)
  assert.equal(await unpackedFile(file, longName), "export const name = 'Übung'")
})

test('nothing is written when a site would refuse it', async () => {
  const broken = join(home, 'broken')
  await mkdir(broken)
  const fields = { name: 'broken', version: '1.0.0', fogbow: { sdk: '^0.1.0', kinds: ['image'] } }
  await writeFile(join(broken, 'package.json'), JSON.stringify(fields))
  await assert.rejects(
    packPlugin({ folder: broken, key, into: broken }),
    /fogbow\.entry is required/,
  )
  await assert.rejects(stat(join(broken, 'broken-1.0.0.tgz')), { code: 'ENOENT' })
})

test('a dependency that is not installed is named, with what to do', async () => {
  const lone = join(home, 'lone')
  await mkdir(lone)
  for (const path of ['package.json', 'index.js'])
    await writeFile(join(lone, path), await readFile(join(folder, path)))
  await assert.rejects(
    packPlugin({ folder: lone, key, into: lone }),
    /'left-pad@\^1\.3\.0' is not installed beside it; run: npm install/,
  )
})

test('a key file is for its owner only, is never overwritten, and is refused when others can read it', async () => {
  const path = join(home, 'own.key')
  const made = await createKeyFile(path)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await assert.rejects(createKeyFile(path), /exists already/)
  assert.equal((await readKeyFile(path)).text, made.text)
  await chmod(path, 0o644)
  await assert.rejects(readKeyFile(path), /can be read by others than its owner; run: chmod 600/)
})

test('a public key is read from its text, from a file of it, and from the secret key', async () => {
  await writeFile(join(home, 'vendor.pub'), `${key.text}\n`)
  for (const given of [key.text, join(home, 'vendor.pub'), join(home, 'vendor.key')])
    assert.equal((await readPublicKey(given)).keyId, key.keyId)
  await assert.rejects(readPublicKey(join(home, 'no.key')), /Key file '.*no\.key': ENOENT/)
})

test('the commands key and pack do all of it', async () => {
  const own = join(home, 'by-command')
  await mkdir(own)
  const text = (await output(process.execPath, [command, 'key', join(own, 'v.key')])).trim()
  assert.equal(text, (await readKeyFile(join(own, 'v.key'))).text)
  const args = [command, 'pack', folder, '--key', join(own, 'v.key'), '--into', own, '--json']
  const packed = JSON.parse(await output(process.execPath, args))
  assert.equal(packed.file, join(own, 'vendor-acme-cloud-1.2.3.tgz'))
  const { candidate } = await builtFrom(packed.file)
  assert.equal((await judge(text)(candidate)).level, 'verified')
})

function output(program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, (error, stdout, stderr) =>
      error ? reject(new Error(stderr, { cause: error })) : resolve(stdout),
    )
  })
}

function unpackedFile(file: string, path: string): Promise<string> {
  return output('tar', ['-xzOf', file, `package/${path}`])
}
