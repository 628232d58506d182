import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** What is counted as it happens. */
export interface PluginMetrics {
  onCall(plugin: string, call: { method: string; ms: number; outcome: string }): void
  onTraffic(plugin: string, bytes: { sent: number; received: number }): void
  onLogLine(plugin: string, level: string): void
}

/** A look at one plugin at one moment. */
export interface PluginReading {
  name: string
  state: string
  /** Isolation level that it has at present. */
  level: string
  /** It runs at another level than it was meant to. */
  isMoved: boolean
  stats: {
    inFlight: number
    waiting: number
    restarts: number
    deniedHostCalls: number
    cpuMs: number
    heapBytes: number
  }
}

const states = ['starting', 'ready', 'backing-off', 'quarantined', 'stopped']
const levels = ['worker', 'process', 'process+ns']
const callBuckets = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120]

/** Methods and outcomes are those of the contracts and the error catalogue, so that no plugin can add a series. */
export function createPluginMetrics(
  registry: Registry,
): PluginMetrics & { show(plugins: readonly PluginReading[], zombies: number): void } {
  const registers = [registry]
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name, help, labelNames, registers })
  const plugin = 'plugin' as const

  const calls = counter('fogbow_plugin_calls_total', 'Calls of plugins by what became of them', [
    plugin,
    'method',
    'outcome',
  ])
  const seconds = new Histogram({
    name: 'fogbow_plugin_call_seconds',
    help: 'Time until plugins answered',
    labelNames: [plugin, 'method'],
    buckets: callBuckets,
    registers,
  })
  const sent = counter(
    'fogbow_plugin_network_sent_bytes_total',
    'Bytes that plugins sent to the network',
    [plugin],
  )
  const received = counter(
    'fogbow_plugin_network_received_bytes_total',
    'Bytes that plugins received from the network',
    [plugin],
  )
  const lines = counter('fogbow_plugin_log_lines_total', 'Lines that plugins logged', [
    plugin,
    'level',
  ])
  const cpu = counter('fogbow_plugin_cpu_seconds_total', 'CPU time of plugins', [plugin])
  const restarts = counter('fogbow_plugin_restarts_total', 'Starts after the first', [plugin])
  const denied = counter(
    'fogbow_plugin_denied_requests_total',
    'Calls of plugins to the host that were refused as unauthorized',
    [plugin],
  )
  const heap = gauge('fogbow_plugin_heap_bytes', 'Heap and array buffers of plugins', [plugin])
  const inFlight = gauge('fogbow_plugin_calls_in_flight', 'Calls under way', [plugin])
  const waiting = gauge('fogbow_plugin_calls_waiting', 'Calls that wait for others to end', [
    plugin,
  ])
  const state = gauge('fogbow_plugin_state', '1 for the state that a plugin is in', [
    plugin,
    'state',
  ])
  const isolation = gauge('fogbow_plugin_isolation', '1 for the level that a plugin runs at', [
    plugin,
    'level',
  ])
  const moved = gauge(
    'fogbow_plugin_moved',
    '1 when a plugin runs at another level than it was meant to',
    [plugin],
  )
  const zombieThreads = gauge(
    'fogbow_zombie_threads',
    'Threads of plugins that cannot be stopped; each holds a core until the site is restarted',
    [],
  )

  function showOne({ name, level, isMoved, stats, ...reading }: PluginReading): void {
    const labels = { plugin: name }
    cpu.inc(labels, stats.cpuMs / 1000)
    restarts.inc(labels, stats.restarts)
    denied.inc(labels, stats.deniedHostCalls)
    heap.set(labels, stats.heapBytes)
    inFlight.set(labels, stats.inFlight)
    waiting.set(labels, stats.waiting)
    moved.set(labels, isMoved ? 1 : 0)
    for (const each of states) state.set({ ...labels, state: each }, each === reading.state ? 1 : 0)
    for (const each of levels) isolation.set({ ...labels, level: each }, each === level ? 1 : 0)
  }

  /** Set anew each time: plugins that are gone are shown no more. */
  const shown = [cpu, restarts, denied, heap, inFlight, waiting, moved, state, isolation]
  return {
    onCall(name, { method, ms, outcome }) {
      calls.inc({ plugin: name, method, outcome })
      seconds.observe({ plugin: name, method }, ms / 1000)
    },
    onTraffic(name, bytes) {
      if (bytes.sent > 0) sent.inc({ plugin: name }, bytes.sent)
      if (bytes.received > 0) received.inc({ plugin: name }, bytes.received)
    },
    onLogLine: (name, level) => lines.inc({ plugin: name, level }),
    show(plugins, zombies) {
      for (const metric of shown) metric.reset()
      for (const each of plugins) showOne(each)
      zombieThreads.set(zombies)
    },
  }
}
