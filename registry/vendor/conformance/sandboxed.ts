import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConformanceCase, conformance, createFakeHost } from '@fogbow/plugin-sdk/testing'
import {
  defaultLimits,
  type Sandbox,
  type SandboxSpec,
  startSandbox,
  workerLauncher,
} from '@fogbow/sandbox'
import { buildFiles } from '../pack/build-files.ts'
import { fromNodeModules } from '../pack/from-node-modules.ts'
import { packedFiles } from '../pack/packed-files.ts'
import { type HostForTests, hostMethods } from './host-methods.ts'
import type { PluginPackage } from './plugin-package.ts'

export interface SandboxedCases {
  /** SHA-256 of the bundle that ran. */
  bundleHash: string
  /** Why it cannot be tried here; there are no cases then. */
  skip?: string
  cases: ConformanceCase[]
  stop(): Promise<void>
}

/**
 * The same cases against the plugin as a site runs it: bundled, through the gate, in a sandbox. Time is real there.
 * @throws FogbowError of the gate, or of the start
 */
export async function conformanceInSandbox(plugin: PluginPackage): Promise<SandboxedCases> {
  const { folder } = plugin
  const { bundle } = await buildFiles(await packedFiles(folder), folder, fromNodeModules(folder))
  const skip = obstacle(plugin)
  const bundleHash = bundle.hash
  if (skip !== undefined) return { bundleHash, skip, cases: [], stop: async () => {} }

  const { conformance: file, manifest, name } = plugin
  const cacheDir = await mkdtemp(join(tmpdir(), 'fogbow-plugin-test-'))
  const launcher = workerLauncher({ cacheDir })
  const config = file.sandbox?.config ?? file.config ?? {}
  const removeCache = () => rm(cacheDir, { recursive: true, force: true })
  let host: HostForTests = createFakeHost({ config, secrets: { ...file.secrets } })
  const start = () => {
    const spec: SandboxSpec = {
      name,
      bundle,
      config,
      kinds: manifest.kinds,
      limits: defaultLimits,
      host: hostMethods(host, file.network === true),
      onLog() {},
    }
    return startSandbox(spec, { launcher })
  }
  let sandbox: Sandbox
  try {
    sandbox = await start()
  } catch (error) {
    await removeCache()
    throw error
  }
  return {
    bundleHash,
    cases: conformance(sandbox, {
      kinds: manifest.kinds,
      ...(file.samples && { samples: file.samples }),
      async restart() {
        await sandbox.stop()
        host = host.restarted()
        sandbox = await start()
        return sandbox
      },
    }),
    async stop() {
      await sandbox.stop()
      await removeCache()
    },
  }
}

function obstacle({ conformance: { network }, manifest }: PluginPackage): string | undefined {
  const streams = (manifest.capabilities?.network ?? []).some((text) => /^(tcp|tls):/.test(text))
  return network && streams ? 'only a site opens byte streams for a sandbox' : undefined
}
