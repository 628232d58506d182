import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { sdkVersion } from '@fogbow/plugin-sdk'
import { conformance, createFakeHost, type FakeHost } from '@fogbow/plugin-sdk/testing'
import { createRegistry } from '@fogbow/registry'
import {
  defaultLimits,
  type HostMethod,
  type Sandbox,
  startSandbox,
  workerLauncher,
} from '@fogbow/sandbox'

/** Every official plugin passes the kit as it runs at a site: installed, bundled, gated, in a sandbox. */

const root = join(import.meta.dirname, '../..')
const plugins = [
  'emulated-cloud',
  'local-identity',
  'role-authorization',
  'single-account',
  'per-user-account',
  'first-fit',
  'least-loaded',
]

interface ConformanceFile {
  config?: Record<string, unknown>
  secrets?: Record<string, string>
  samples?: Record<string, unknown>
}

const directory = mkdtempSync(join(tmpdir(), 'fogbow-conformance-'))
const registry = createRegistry({ directory, sdkVersion })
const launcher = workerLauncher({ cacheDir: join(directory, 'cache') })

process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

for (const folder of plugins) {
  const path = join(root, 'plugins-official', folder)
  const file: ConformanceFile = JSON.parse(
    readFileSync(join(path, 'fogbow.conformance.json'), 'utf8'),
  )
  await describe(`${folder}, in a sandbox`, async () => {
    const { name } = await registry.install(path)
    // Time is real in a sandbox: a cloud that takes none keeps the cases short.
    const config = folder === 'emulated-cloud' ? {} : (file.config ?? {})
    let host = createFakeHost({ config, secrets: file.secrets ?? {} })
    let sandbox = await start(name, host)
    after(() => sandbox.stop())
    const cases = conformance(sandbox, {
      samples: file.samples ?? {},
      async restart() {
        await sandbox.stop()
        host = host.restarted()
        sandbox = await start(name, host)
        return sandbox
      },
    })
    for (const { kind, name: sentence, skip, run } of cases) {
      test(`${kind}: ${sentence}`, { skip: skip ?? false }, run)
    }
  })
}

async function start(name: string, host: FakeHost): Promise<Sandbox> {
  const { plugin, bundle } = await registry.load(name)
  return startSandbox(
    {
      name,
      bundle,
      config: host.config,
      kinds: plugin.manifest.kinds,
      limits: defaultLimits,
      host: brokers(host),
      onLog() {},
    },
    { launcher },
  )
}

/** What a plugin may call on its host, answered by the fake one. */
function brokers({ secrets, storage }: FakeHost): Record<string, HostMethod> {
  return {
    'secrets.get': ([name]) => secrets.get(String(name)),
    'storage.get': async ([key]) => {
      const value = await storage.get(String(key))
      return value === undefined ? [] : [value]
    },
    'storage.set': ([key, value]) => storage.set(String(key), value),
    'storage.delete': ([key]) => storage.delete(String(key)),
    'storage.list': ([prefix, options]) => storage.list(String(prefix), (options ?? {}) as object),
    'storage.write': ([changes]) => storage.write(changes as []),
  }
}
