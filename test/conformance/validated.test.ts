import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { validatePlugin } from '@fogbow/registry/vendor'

/** What the marketplace asks of strangers it asks of the plugins that come with the site. */

const folder = join(import.meta.dirname, '../../plugins-official')
const plugins = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())

for (const { name } of plugins) {
  test(`no rule for plugins finds an error in ${name}`, async () => {
    const { results } = await validatePlugin(join(folder, name), { offline: true })
    const errors = results.filter(
      ({ severity, outcome }) => severity === 'error' && outcome === 'failed',
    )
    assert.deepEqual(
      errors.map(({ rule, messages }) => [rule, messages]),
      [],
    )
  })
}
