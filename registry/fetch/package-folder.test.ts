import assert from 'node:assert/strict'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder, writeFiles } from '../fixtures/packages.ts'
import { resolvePackageFolder } from './package-folder.ts'

test('a workspace is found by its name from any folder below, as its real path', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(join(root, 'plugins/cloud'), { 'package.json': '{}' })
  await mkdir(join(root, 'node_modules/@fogbow'), { recursive: true })
  await symlink('../../plugins/cloud', join(root, 'node_modules/@fogbow/cloud'))
  await mkdir(join(root, 'site/etc'), { recursive: true })
  const expected = join(root, 'plugins/cloud')
  assert.equal(await resolvePackageFolder('@fogbow/cloud', join(root, 'site/etc')), expected)
  assert.equal(await resolvePackageFolder('@fogbow/cloud', root), expected)
})

test('the nearest package wins', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, {
    'node_modules/a/package.json': '{}',
    'site/node_modules/a/package.json': '{}',
  })
  const near = join(root, 'site/node_modules/a')
  assert.equal(await resolvePackageFolder('a', join(root, 'site')), near)
})

test('what is absent, or is no name of a package, is undefined', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'package.json': '{}', 'node_modules/a/package.json': '{}' })
  for (const name of ['b', '../..', '.', '', '@a', 'a/b', 'a/../a', '/etc', './a']) {
    assert.equal(await resolvePackageFolder(name, root), undefined, name)
  }
})
