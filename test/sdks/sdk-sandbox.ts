import { join } from 'node:path'
import {
  defaultLimits,
  type HostMethod,
  type Launcher,
  type PluginLogLine,
  type Sandbox,
  startSandbox,
} from '@fogbow/sandbox'
import { type BuiltBundle, buildBundle } from '@fogbow/sandbox/gate'

export interface SdkPlugin {
  sandbox: Sandbox
  /** What it logged so far. */
  logged: PluginLogLine[]
  /** From the launch until it can be called, ms. */
  loadMs: number
  /** The outcome of one of its checks. */
  check(name: string): Promise<unknown>
}

/** Bundles `plugins/NAME.js` with the SDK as npm installed it. */
export function bundleSdk(name: string): Promise<BuiltBundle> {
  return buildBundle({ packageDir: import.meta.dirname, entry: `./${join('plugins', name)}.js` })
}

export async function startSdkPlugin(
  name: string,
  bundle: BuiltBundle,
  launcher: Launcher,
  config: Record<string, unknown>,
  host: Record<string, HostMethod>,
): Promise<SdkPlugin> {
  const logged: PluginLogLine[] = []
  const startedAt = performance.now()
  const sandbox = await startSandbox(
    {
      name,
      bundle,
      config,
      kinds: ['image'],
      limits: defaultLimits,
      host,
      onLog: (line) => logged.push(line),
    },
    { launcher },
  )
  return {
    sandbox,
    logged,
    loadMs: performance.now() - startedAt,
    async check(id) {
      const { name: outcome } = (await sandbox.call('image.getImage', [id, {}])) as { name: string }
      return JSON.parse(outcome)
    },
  }
}
