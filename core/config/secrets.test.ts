import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSecret } from './secrets.ts'

test('a secret comes from the environment', async () => {
  assert.equal(await readSecret('env:KEY', 'plugins.a.secrets.key', { KEY: 'value' }), 'value')
})

test('a secret comes from a file, without the line end that editors add', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-secret-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'key')
  await writeFile(file, 'two\nlines\n')
  assert.equal(await readSecret(`file:${file}`, 'plugins.a.secrets.key', {}), 'two\nlines')
})

test('a secret that is not there is a configuration error that names key and place', async () => {
  await assert.rejects(readSecret('env:KEY', 'plugins.a.secrets.key', {}), {
    code: 'configuration_error',
    message: 'plugins.a.secrets.key: the environment variable KEY is not set',
  })
  await assert.rejects(readSecret('file:/nowhere/key', 'plugins.a.secrets.key', {}), {
    code: 'configuration_error',
    message: 'plugins.a.secrets.key: cannot read /nowhere/key: ENOENT',
  })
})
