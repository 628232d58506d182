import assert from 'node:assert/strict'
import { lstat, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import {
  newRegistry,
  packed,
  plugin,
  type TarEntry,
  tarball,
  temporaryFolder,
} from '../fixtures/packages.ts'
import { unpack, unpackBudget } from './unpack.ts'

const good: TarEntry[] = Object.entries(plugin('x')).map(([path, content]) => ({
  path: `package/${path}`,
  content,
}))

const hostile: [string, TarEntry[], RegExp][] = [
  ['a path that climbs out', [{ path: 'package/../../escaped', content: 'x' }], /would leave/],
  ['an absolute path', [{ path: '/tmp/escaped', content: 'x' }], /would leave/],
  ['a path with backslashes', [{ path: 'package\\..\\..\\escaped', content: 'x' }], /would leave/],
  [
    'a symbolic link',
    [{ path: 'package/link', type: 'SymbolicLink', linkpath: '/etc/passwd' }],
    /is a SymbolicLink/,
  ],
  [
    'a file below a symbolic link',
    [
      { path: 'package/up', type: 'SymbolicLink', linkpath: '../..' },
      { path: 'package/up/escaped', content: 'x' },
    ],
    /is a SymbolicLink/,
  ],
  ['a hard link', [{ path: 'package/link', type: 'Link', linkpath: '/etc/passwd' }], /is a Link/],
  ['a device', [{ path: 'package/zero', type: 'CharacterDevice' }], /is a CharacterDevice/],
  ['a native addon', [{ path: 'package/build/fast.node', content: 'x' }], /native addon/],
  ['the same file twice', [{ path: 'package/index.js', content: 'x' }], /in the tarball twice/],
  [
    'the same file in two folders',
    [{ path: 'other/index.js', content: 'x' }],
    /in the tarball twice/,
  ],
  ['a file beside the folder', [{ path: 'stray', content: 'x' }], /lies beside the package/],
]

for (const [what, entries, message] of hostile) {
  test(`a tarball with ${what} is refused and leaves nothing`, async (t) => {
    const { registry, directory } = await newRegistry(t)
    const source = join(await temporaryFolder(t), 'plugin.tgz')
    await writeFile(source, tarball([...good, ...entries]))
    await assert.rejects(registry.install(source), { code: 'configuration_error', message })
    const left = await readdir(directory, { recursive: true })
    assert.deepEqual(left, ['registry.lock'])
    await assert.rejects(lstat(join(directory, '..', 'escaped')))
    await assert.rejects(lstat('/tmp/escaped'))
  })
}

test('more files, more bytes or better compressed bytes than allowed are refused before anything is written', async (t) => {
  const many = Array.from({ length: 10_001 }, (_, index) => ({ path: `package/${index}` }))
  const large = [{ path: 'package/large', content: Buffer.alloc(64 * 1024 * 1024 + 1) }]
  const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024))
  for (const bytes of [tarball(many), tarball(large), bomb]) {
    const folder = await temporaryFolder(t)
    const options = { origin: 'bomb.tgz', budget: unpackBudget() }
    await assert.rejects(unpack(bytes, folder, options), {
      code: 'configuration_error',
      message: /^Package 'bomb\.tgz': unpacks to more than 10000 files or 67108864 bytes/,
    })
    assert.deepEqual(await readdir(folder), [])
  }
})

test('a file that is there twice with the same contents is unpacked once', async (t) => {
  const folder = await temporaryFolder(t)
  const options = { origin: 'twice.tgz', budget: unpackBudget() }
  await unpack(tarball([...good, ...good]), folder, options)
  assert.deepEqual((await readdir(folder)).toSorted(), ['answer.js', 'index.js', 'package.json'])
})

test('what is no tarball, is cut off or is empty is refused', async (t) => {
  const whole = packed(plugin('x'.repeat(5000)))
  for (const bytes of [
    Buffer.from('hello'),
    whole.subarray(0, whole.length / 2),
    gzipSync(Buffer.alloc(1024)),
    gzipSync(Buffer.from('not a tarball'.repeat(100))),
    gzipSync(whole),
  ]) {
    const folder = await temporaryFolder(t)
    const options = { origin: 'odd.tgz', budget: unpackBudget() }
    await assert.rejects(unpack(bytes, folder, options), {
      code: 'configuration_error',
      message: /^Package 'odd\.tgz': /,
    })
    assert.deepEqual(await readdir(folder), [])
  }
})
