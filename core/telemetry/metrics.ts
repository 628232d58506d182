import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { createFederationMetrics, type FederationReading } from './federation-metrics.ts'
import { createPluginMetrics, type PluginMetrics, type PluginReading } from './plugin-metrics.ts'

export interface Metrics {
  observe(route: string, method: string, status: number, ms: number): void
  observeTransition(kind: string, cloud: string, to: string, msInState: number): void
  observeLogIn(source: string, outcome: string): void
  readonly plugins: PluginMetrics
  /** Values that are read only when somebody asks. */
  collect(read: () => Promise<Reading>): void
  /** Text in the exposition format of Prometheus. */
  text(): Promise<string>
}

/** A look at the site at one moment. */
export interface Reading {
  orders: { kind: string; state: string; count: number }[]
  plugins: readonly PluginReading[]
  /** Threads of plugins that cannot be stopped. */
  zombies: number
  /** Of a site that trades with others. */
  federation?: FederationReading
}

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Metrics for Prometheus, each with the site's own prefix. Nothing is measured in the background. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Histogram({
    name: 'fogbow_http_request_seconds',
    help: 'Time to answer REST requests',
    labelNames: ['route', 'method', 'status'],
    buckets: secondsBuckets,
    registers,
  })
  const transitions = new Counter({
    name: 'fogbow_order_transitions_total',
    help: 'Changes of state of orders',
    labelNames: ['kind', 'cloud', 'to'],
    registers,
  })
  const timeInState = new Histogram({
    name: 'fogbow_order_state_seconds',
    help: 'Time that orders spent in the state they left, by the state they went to',
    labelNames: ['kind', 'to'],
    buckets: secondsBuckets,
    registers,
  })
  const logIns = new Counter({
    name: 'fogbow_logins_total',
    help: 'Log-ins by identity source and outcome: ok, refused, locked out or failed',
    labelNames: ['source', 'outcome'],
    registers,
  })
  const orders = new Gauge({
    name: 'fogbow_orders',
    help: 'Orders by state',
    labelNames: ['kind', 'state'],
    registers,
  })
  const plugins = createPluginMetrics(registry)
  const memory = new Gauge({
    name: 'fogbow_process_resident_bytes',
    help: 'Resident memory of the host',
    registers,
  })
  const cpu = new Gauge({
    name: 'fogbow_process_cpu_seconds_total',
    help: 'CPU time of the host',
    registers,
  })
  let federation: ReturnType<typeof createFederationMetrics> | undefined
  let read: (() => Promise<Reading>) | undefined

  async function refresh(): Promise<void> {
    const { user, system } = process.cpuUsage()
    cpu.set((user + system) / 1e6)
    memory.set(process.memoryUsage.rss())
    const reading = await read?.()
    if (!reading) return
    orders.reset()
    for (const { kind, state, count } of reading.orders) orders.set({ kind, state }, count)
    plugins.show(reading.plugins, reading.zombies)
    if (!reading.federation) return
    federation ??= createFederationMetrics(registry)
    federation.show(reading.federation)
  }

  return {
    plugins,
    observe: (route, method, status, ms) => requests.observe({ route, method, status }, ms / 1000),
    observeTransition(kind, cloud, to, msInState) {
      transitions.inc({ kind, cloud, to })
      timeInState.observe({ kind, to }, msInState / 1000)
    },
    observeLogIn: (source, outcome) => logIns.inc({ source, outcome }),
    collect(reader) {
      read = reader
    },
    async text() {
      await refresh()
      return registry.metrics()
    },
  }
}
