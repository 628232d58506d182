import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { sdkVersion } from '@fogbow/plugin-sdk'
import { parseNetworkPattern } from '@fogbow/plugin-sdk/network'
import {
  type ConformanceCase,
  conformance,
  createFakeHost,
  type FakeHost,
  type Samples,
} from '@fogbow/plugin-sdk/testing'
import { createRegistry } from '@fogbow/registry'
import {
  defaultLimits,
  type HostMethod,
  type Sandbox,
  startSandbox,
  workerLauncher,
} from '@fogbow/sandbox'
import { createDialer } from '../../core/plugins/brokers/dial.ts'
import { fetchBroker } from '../../core/plugins/brokers/fetch.ts'
import { toLimits } from '../../core/plugins/brokers/network-settings.ts'
import { REDIRECT_URI } from './support/oidc-plugin.ts'
import { type RunningProvider, startOidcProvider } from './support/oidc-provider.ts'

const folder = join(import.meta.dirname, '../../plugins-official/oidc')
const written: {
  config: Record<string, unknown>
  secrets: Record<string, string>
  samples: Samples
} = JSON.parse(readFileSync(join(folder, 'fogbow.conformance.json'), 'utf8'))

/** The whole kit for the plugin as it runs at a site: bundled, in a sandbox, with a site's brokers on the way to the provider. */
describe('conformance of the OIDC plugin, in a sandbox', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fogbow-conformance-'))
  const registry = createRegistry({ directory, sdkVersion })
  const launcher = workerLauncher({ cacheDir: join(directory, 'cache') })
  let provider: RunningProvider
  let sandbox: Sandbox | undefined
  let cases: ConformanceCase[] = []

  before(async () => {
    provider = await startOidcProvider({ redirectUris: [REDIRECT_URI] })
    const { name } = await registry.install(folder)
    const config = { ...written.config, issuer: provider.issuer }
    let host = createFakeHost({ config, secrets: written.secrets })
    const start = async () => {
      const { plugin, bundle } = await registry.load(name)
      const { kinds } = plugin.manifest
      const methods = brokers(name, host, provider.issuer)
      const limits = defaultLimits
      sandbox = await startSandbox(
        { name, bundle, config, kinds, limits, host: methods, onLog() {} },
        { launcher },
      )
      return sandbox
    }
    cases = conformance(await start(), {
      samples: written.samples,
      async restart() {
        await sandbox?.stop()
        host = host.restarted()
        return start()
      },
    })
  })
  after(async () => {
    await sandbox?.stop()
    await provider?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  // Which cases there are is known only once the plugin runs.
  test('every case', async (t) => {
    for (const { kind, name, skip, run } of cases)
      await t.test(`${kind}: ${name}`, { skip: skip ?? false }, run)
    assert.ok(cases.filter(({ skip }) => skip === undefined).length >= 18)
  })
})

function brokers(plugin: string, host: FakeHost, issuer: string): Record<string, HostMethod> {
  const { secrets, storage } = host
  return {
    ...fetchBroker(plugin, dialerTo(plugin, issuer), toLimits({})).methods,
    'secrets.get': ([name]) => secrets.get(String(name)),
    'storage.get': async ([key]) => {
      const value = await storage.get(String(key))
      return value === undefined ? [] : [value]
    },
    'storage.set': ([key, value]) => storage.set(String(key), value),
  }
}

function dialerTo(plugin: string, issuer: string) {
  const pattern = parseNetworkPattern(issuer)
  if (typeof pattern === 'string') throw new Error(`${issuer}: ${pattern}`)
  const limits = toLimits({})
  return createDialer({
    plugin,
    network: [{ ...pattern, byAdministrator: true }],
    addresses: ['127.0.0.0/8'],
    settings: { noProxy: [], authorities: [], dnsServers: [], limits },
    resolver: { lookUp: async () => ['127.0.0.1'], close() {} },
    onTraffic() {},
  })
}
