import { contracts } from '@fogbow/plugin-sdk'
import type { PluginHealth } from '@fogbow/sandbox'
import type { LivePlugin } from '../live-plugin.ts'
import type { PluginHost } from '../plugin-host.ts'
import { createPluginSlot } from '../plugin-slot.ts'

/** `kind.method` → what it does; arguments arrive as the site sends them. */
export type Methods = Record<string, (...args: never[]) => unknown>

export interface StandInPlugin extends LivePlugin {
  /** Every call so far: method and arguments. */
  readonly calls: { method: string; args: readonly unknown[] }[]
  readonly methods: Methods
  state: PluginHealth['state']
  restarts: number
}

/** A plugin whose methods the test gives, without any sandbox around them. */
export function standInPlugin(name: string, methods: Methods): StandInPlugin {
  const kinds = [...new Set(Object.keys(methods).map((method) => method.split('.')[0] ?? ''))]
  return {
    name,
    packageName: `@stand-in/${name}`,
    version: '1.0.0',
    bundleHash: '',
    kinds: kinds.filter((kind) => contracts[kind]),
    methods,
    calls: [],
    state: 'ready',
    restarts: 0,
    get offered() {
      return new Set(Object.keys(this.methods))
    },
    capabilities: { network: [], secrets: [], storage: false },
    health() {
      const reason = { code: 'plugin_failure', message: `${name} is out of order` }
      return { state: this.state, level: 'worker', ...(this.state !== 'ready' && { reason }) }
    },
    stats: () => ({
      calls: 0,
      errors: 0,
      inFlight: 0,
      waiting: 0,
      restarts: 0,
      deniedHostCalls: 0,
      cpuMs: 0,
      heapBytes: 0,
    }),
    async call(method, args) {
      this.calls.push({ method, args })
      const run = this.methods[method]
      if (!run) throw new Error(`${name} has no ${method}`)
      return run(...(args as never[]))
    },
    async restart() {
      this.restarts += 1
    },
    async stop() {
      this.state = 'stopped'
    },
  }
}

const clock = { after: () => () => {} }

export function standInPlugins(...plugins: readonly LivePlugin[]): PluginHost {
  const slots = plugins.map((plugin) => createPluginSlot(plugin, clock))
  const refuse = async (): Promise<never> => {
    throw new Error('stand-ins have one version')
  }
  return {
    apply: async () => {},
    get(name) {
      const plugin = slots.find((candidate) => candidate.name === name)
      if (!plugin) throw new Error(`no stand-in for plugin '${name}'`)
      return plugin
    },
    list: () => slots,
    prepare: refuse,
    handOver: refuse,
    async restart(name) {
      await this.get(name).restart()
    },
    isolation: async () => ({ level: 'worker', missing: [], zombies: 0, zombieLimit: 1 }),
    alarm: () => undefined,
    stop: async () => {},
  }
}
