import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { conformanceInProcess } from '@fogbow/plugin-sdk/testing'
import plugin from './index.ts'

const settings = JSON.parse(
  await readFile(new URL('./fogbow.conformance.json', import.meta.url), 'utf8'),
)

describe('conformance', async () => {
  for (const { kind, name, skip, run } of await conformanceInProcess(plugin, settings))
    test(`${kind}: ${name}`, { skip: skip ?? false }, run)
})
