import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { FogbowError, sdkVersion } from '@fogbow/plugin-sdk'
import { parseNetworkPattern } from '@fogbow/plugin-sdk/network'
import {
  type ConformanceCase,
  conformance,
  createFakeHost,
  type FakeHost,
  type PluginCaller,
} from '@fogbow/plugin-sdk/testing'
import { createRegistry, type Registry } from '@fogbow/registry'
import {
  defaultLimits,
  type HostMethod,
  type Launcher,
  type Sandbox,
  startSandbox,
  workerLauncher,
} from '@fogbow/sandbox'
import { createDialer } from '../../core/plugins/brokers/dial.ts'
import { fetchBroker } from '../../core/plugins/brokers/fetch.ts'
import { toLimits } from '../../core/plugins/brokers/network-settings.ts'
import { samplesFor } from './conformance-samples.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { accountsSecret, pluginConfig } from './openstack/settings.ts'

const folder = join(import.meta.dirname, '../../plugins-official/openstack')

/** The whole kit for the plugin as it runs at a site: bundled, in a sandbox, with a site's brokers between it and the cloud. */
export function conformanceTests(running: () => OpenStack): void {
  describe('conformance of the OpenStack plugin, in a sandbox', () => {
    const directory = mkdtempSync(join(tmpdir(), 'fogbow-conformance-'))
    const registry = createRegistry({ directory, sdkVersion })
    const launcher = workerLauncher({ cacheDir: join(directory, 'cache') })
    let sandbox: Sandbox | undefined
    let cases: ConformanceCase[] = []

    before(async () => {
      const { name } = await registry.install(folder)
      const cloud = running()
      let host = createFakeHost({
        config: pluginConfig(cloud),
        secrets: { accounts: accountsSecret(cloud) },
      })
      const start = async () => {
        sandbox = await startPlugin(registry, launcher, name, host)
        return sandbox
      }
      cases = conformance(await start(), {
        samples: samplesFor(cloud),
        async restart() {
          await sandbox?.stop()
          host = host.restarted()
          return start()
        },
      })
    })
    after(async () => {
      await sandbox?.stop()
      rmSync(directory, { recursive: true, force: true })
    })

    // Which cases there are is known only once the plugin runs.
    test('every case', async (t) => {
      for (const { kind, name, skip, run } of cases)
        await t.test(`${kind}: ${name}`, { skip: skip ?? false }, run)
    })
  })
}

async function startPlugin(
  registry: Registry,
  launcher: Launcher,
  name: string,
  host: FakeHost,
): Promise<Sandbox & PluginCaller> {
  const { plugin, bundle } = await registry.load(name)
  const { kinds } = plugin.manifest
  const methods = brokers(name, host)
  const limits = defaultLimits
  return startSandbox(
    { name, bundle, config: host.config, kinds, limits, host: methods, onLog() {} },
    { launcher },
  )
}

function brokers(
  plugin: string,
  { secrets, storage, config }: FakeHost,
): Record<string, HostMethod> {
  return {
    ...fetchBroker(plugin, dialerTo(plugin, config.services as string[]), toLimits({})).methods,
    'secrets.get': ([name]) => secrets.get(String(name)),
    'storage.get': async ([key]) => {
      const value = await storage.get(String(key))
      return value === undefined ? [] : [value]
    },
    'storage.set': ([key, value]) => storage.set(String(key), value),
    'storage.delete': ([key]) => storage.delete(String(key)),
  }
}

function dialerTo(plugin: string, patterns: readonly string[]) {
  const limits = toLimits({})
  return createDialer({
    plugin,
    network: patterns.map((text) => {
      const pattern = parseNetworkPattern(text)
      if (typeof pattern === 'string') throw new Error(`${text}: ${pattern}`)
      return { ...pattern, byAdministrator: true }
    }),
    addresses: ['127.0.0.0/8'],
    settings: { noProxy: [], authorities: [], dnsServers: [], limits },
    resolver: {
      async lookUp(name) {
        throw new FogbowError('unavailable_provider', `${name} has no address`)
      },
      close() {},
    },
    onTraffic() {},
  })
}
