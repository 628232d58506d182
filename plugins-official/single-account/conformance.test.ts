import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { conformanceInProcess } from '@fogbow/plugin-sdk/testing'
import plugin from './index.ts'

const settings = JSON.parse(
  await readFile(new URL('./fogbow.conformance.json', import.meta.url), 'utf8'),
)

describe('conformance', async () => {
  const cases = await conformanceInProcess(plugin, settings)
  // Nobody is a stranger to this plugin, so that case has nothing to try.
  for (const { kind, name, run } of cases.filter(({ skip }) => skip === undefined))
    test(`${kind}: ${name}`, run)
})
