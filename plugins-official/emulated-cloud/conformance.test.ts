import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { conformanceInProcess } from '@fogbow/plugin-sdk/testing'
import plugin from './index.ts'

const settings = JSON.parse(
  await readFile(new URL('./fogbow.conformance.json', import.meta.url), 'utf8'),
)

for (const [what, config] of Object.entries({ 'with delays': settings.config, 'at once': {} })) {
  describe(`conformance, ${what}`, async () => {
    const cases = await conformanceInProcess(plugin, { ...settings, config })
    for (const { kind, name, skip, run } of cases)
      test(`${kind}: ${name}`, { skip: skip ?? false }, run)
  })
}
