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
import type { Json, Project } from './openstack/api.ts'
import { belongingsOf } from './openstack/inventory.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { accountsSecret, pluginConfig } from './openstack/settings.ts'
import { eventually } from './site.ts'

const folder = join(import.meta.dirname, '../../plugins-official/openstack')

/** The whole kit for the plugin as it runs at a site: bundled, in a sandbox, with a site's brokers between it and the cloud. */
export function conformanceTests(running: () => OpenStack): void {
  describe('conformance of the OpenStack plugin, in a sandbox', () => {
    const directory = mkdtempSync(join(tmpdir(), 'fogbow-conformance-'))
    const registry = createRegistry({ directory, sdkVersion })
    const launcher = workerLauncher({ cacheDir: join(directory, 'cache') })
    let sandbox: Sandbox | undefined
    let demo: Project
    let machine: string
    let cases: ConformanceCase[] = []

    before(async () => {
      const { name } = await registry.install(folder)
      const cloud = running()
      demo = await cloud.logIn('demo')
      machine = await startMachine(demo, cloud)
      let host = createFakeHost({
        config: pluginConfig(cloud),
        secrets: { accounts: accountsSecret(cloud) },
      })
      const start = async () => {
        sandbox = await startPlugin(registry, launcher, name, host)
        return sandbox
      }
      cases = conformance(await start(), {
        samples: samplesFor(cloud, machine),
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
      await demo.call('compute', 'DELETE', `/servers/${machine}`)
      // The contract has no way to delete a snapshot.
      const { images } = await demo.call('image', 'GET', `/images?owner=${demo.id}`)
      for (const { id } of images) await demo.call('image', 'DELETE', `/images/${id}`)
      await eventually('an empty project', async () => {
        const left = await belongingsOf(demo, running())
        const isEmpty = Object.values(left).every(({ length }) => length === 0)
        return isEmpty ? { answer: true } : { problem: JSON.stringify(left) }
      })
    })

    // Which cases there are is known only once the plugin runs.
    test('every case', async (t) => {
      for (const { kind, name, skip, run } of cases)
        await t.test(`${kind}: ${name}`, { skip: skip ?? false }, run)
    })
  })
}

/** A server with more than one port: each leads one public address to it. */
async function startMachine(demo: Project, { image, privateNetwork }: OpenStack): Promise<string> {
  const { flavors } = await demo.call('compute', 'GET', '/flavors')
  const port = { uuid: privateNetwork }
  const server = {
    name: 'for samples',
    imageRef: image,
    flavorRef: flavors.find(({ name }: Json) => name === 'tiny').id,
    networks: [port, port, port],
  }
  const { id } = (await demo.call('compute', 'POST', '/servers', { server })).server
  await eventually('a server for samples', async () => {
    const { server: now } = await demo.call('compute', 'GET', `/servers/${id}`)
    return now.status === 'ACTIVE' ? { answer: true } : { problem: JSON.stringify(now) }
  })
  return id
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
