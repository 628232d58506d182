import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { conformance, createFakeHost } from '@fogbow/plugin-sdk/testing'
import { ldapFolder, ldapPlugins } from './support/ldap-plugin.ts'
import { startSlapd } from './support/slapd.ts'

/** The kit, for the plugin as it runs at a site and a real directory, with what its own file says. */

const file = JSON.parse(readFileSync(join(ldapFolder, 'fogbow.conformance.json'), 'utf8'))
const slapd = await startSlapd()
const plugins = await ldapPlugins(slapd.certificates.authority)
const config = { ...file.config, url: slapd.url }
let host = createFakeHost({ config, secrets: file.secrets })
let plugin = await plugins.start(config, host)

describe('conformance of the LDAP plugin, in a sandbox', () => {
  const cases = conformance(plugin.sandbox, {
    samples: file.samples,
    async restart() {
      await plugin.sandbox.stop()
      host = host.restarted()
      plugin = await plugins.start(config, host)
      return plugin.sandbox
    },
  })
  for (const { kind, name, skip, run } of cases)
    test(`${kind}: ${name}`, { skip: skip ?? false }, run)
})
