import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from './metrics.ts'
import type { PluginReading } from './plugin-metrics.ts'

test('requests and transitions are counted under their labels', async () => {
  const metrics = createMetrics()
  metrics.observe('/ras/computes', 'POST', 201, 12)
  metrics.observe('/ras/computes', 'POST', 201, 8)
  metrics.observeTransition('compute', 'one', 'FULFILLED', 40)
  const text = await metrics.text()
  assert.match(
    text,
    /fogbow_http_request_seconds_count\{route="\/ras\/computes",method="POST",status="201"\} 2/,
  )
  assert.match(
    text,
    /fogbow_order_transitions_total\{kind="compute",cloud="one",to="FULFILLED"\} 1/,
  )
  assert.match(text, /fogbow_order_state_seconds_sum\{kind="compute",to="FULFILLED"\} 0\.04/)
})

const reading: PluginReading = {
  name: 'cloud',
  state: 'quarantined',
  level: 'process',
  isMoved: true,
  stats: {
    inFlight: 2,
    waiting: 1,
    restarts: 4,
    deniedHostCalls: 3,
    cpuMs: 1500,
    heapBytes: 1_048_576,
  },
}

test('a site that trades with others shows how they fare, and another shows nothing of it', async () => {
  const metrics = createMetrics()
  assert.doesNotMatch(await metrics.text(), /fogbow_federation/)
  const counts = { requests: 5, failures: 2, spared: 1, inFlight: 0 }
  const federation = {
    online: true,
    members: [
      { id: 'site-b', liveness: 'alive', latencyMs: 12, ...counts },
      { id: 'site-c', liveness: 'silent', ...counts },
      { id: 'site-d', liveness: 'unknown', ...counts },
    ],
    refusals: { signature: 3 },
    pendingCommands: 4,
    stanzas: { served: 7 },
  }
  metrics.collect(async () => ({ orders: [], plugins: [], zombies: 0, federation }))
  await metrics.text()
  const text = await metrics.text()
  for (const expected of [
    /fogbow_federation_online 1/,
    /fogbow_federation_member_alive\{member="site-b"\} 1/,
    /fogbow_federation_member_alive\{member="site-c"\} 0/,
    /fogbow_federation_member_latency_seconds\{member="site-b"\} 0\.012/,
    /fogbow_federation_member_failures_total\{member="site-c"\} 2/,
    /fogbow_federation_pending_commands 4/,
    /fogbow_federation_refused_envelopes_total\{reason="signature"\} 3/,
    /fogbow_federation_stanzas_total\{event="served"\} 7/,
  ])
    assert.match(text, expected)
  assert.doesNotMatch(text, /member_alive\{member="site-d"\}/)
})

test('orders and plugins are read when somebody asks, and what is gone is shown no more', async () => {
  const metrics = createMetrics()
  let orders = [{ kind: 'compute', state: 'OPEN', count: 3 }]
  let plugins = [reading]
  metrics.collect(async () => ({ orders, plugins, zombies: 1 }))
  await metrics.text()
  const text = await metrics.text()
  for (const expected of [
    /fogbow_orders\{kind="compute",state="OPEN"\} 3/,
    /fogbow_plugin_state\{plugin="cloud",state="quarantined"\} 1/,
    /fogbow_plugin_state\{plugin="cloud",state="ready"\} 0/,
    /fogbow_plugin_isolation\{plugin="cloud",level="process"\} 1/,
    /fogbow_plugin_isolation\{plugin="cloud",level="worker"\} 0/,
    /fogbow_plugin_moved\{plugin="cloud"\} 1/,
    /# TYPE fogbow_plugin_cpu_seconds_total counter\nfogbow_plugin_cpu_seconds_total\{plugin="cloud"\} 1\.5/,
    /# TYPE fogbow_plugin_restarts_total counter\nfogbow_plugin_restarts_total\{plugin="cloud"\} 4/,
    /fogbow_plugin_denied_requests_total\{plugin="cloud"\} 3/,
    /fogbow_plugin_heap_bytes\{plugin="cloud"\} 1048576/,
    /fogbow_plugin_calls_in_flight\{plugin="cloud"\} 2/,
    /fogbow_plugin_calls_waiting\{plugin="cloud"\} 1/,
    /fogbow_zombie_threads 1/,
  ])
    assert.match(text, expected)
  orders = []
  plugins = []
  const later = await metrics.text()
  assert.doesNotMatch(later, /state="OPEN"/)
  assert.doesNotMatch(later, /plugin="cloud"/)
})

test('calls of plugins are counted by method and outcome, and their times in a few buckets', async () => {
  const { plugins, text } = createMetrics()
  plugins.onCall('cloud', { method: 'compute.getInstance', ms: 3, outcome: 'ok' })
  plugins.onCall('cloud', { method: 'compute.getInstance', ms: 700, outcome: 'ok' })
  plugins.onCall('cloud', { method: 'compute.getInstance', ms: 30_000, outcome: 'timeout' })
  const answer = await text()
  const labels = 'plugin="cloud",method="compute.getInstance"'
  assert.ok(answer.includes(`fogbow_plugin_calls_total{${labels},outcome="ok"} 2`))
  assert.ok(answer.includes(`fogbow_plugin_calls_total{${labels},outcome="timeout"} 1`))
  assert.ok(answer.includes(`fogbow_plugin_call_seconds_count{${labels}} 3`))
  assert.ok(answer.includes(`fogbow_plugin_call_seconds_bucket{le="0.005",${labels}} 1`))
  assert.ok((answer.match(/call_seconds_bucket/g) ?? []).length <= 12)
})

test('traffic and log lines of plugins add up', async () => {
  const { plugins, text } = createMetrics()
  plugins.onTraffic('cloud', { sent: 10, received: 0 })
  plugins.onTraffic('cloud', { sent: 5, received: 100 })
  plugins.onLogLine('cloud', 'warn')
  const answer = await text()
  assert.match(answer, /fogbow_plugin_network_sent_bytes_total\{plugin="cloud"\} 15/)
  assert.match(answer, /fogbow_plugin_network_received_bytes_total\{plugin="cloud"\} 100/)
  assert.match(answer, /fogbow_plugin_log_lines_total\{plugin="cloud",level="warn"\} 1/)
})

test('two sites in one process do not mix their figures', async () => {
  const one = createMetrics()
  const other = createMetrics()
  one.observe('/a', 'GET', 200, 1)
  assert.doesNotMatch(await other.text(), /route="\/a"/)
})
