import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from './metrics.ts'

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

test('orders and plugins are read when somebody asks, and what is gone is shown no more', async () => {
  const metrics = createMetrics()
  let orders = [{ kind: 'compute', state: 'OPEN', count: 3 }]
  metrics.collect(async () => ({
    orders,
    plugins: [{ name: 'cloud', state: 'quarantined', stats: { restarts: 4 } }],
  }))
  const first = await metrics.text()
  assert.match(first, /fogbow_orders\{kind="compute",state="OPEN"\} 3/)
  assert.match(first, /fogbow_plugin_state\{plugin="cloud",state="quarantined"\} 1/)
  assert.match(first, /fogbow_plugin_state\{plugin="cloud",state="ready"\} 0/)
  assert.match(first, /fogbow_plugin\{plugin="cloud",figure="restarts"\} 4/)
  orders = []
  assert.doesNotMatch(await metrics.text(), /state="OPEN"/)
})

test('two sites in one process do not mix their figures', async () => {
  const one = createMetrics()
  const other = createMetrics()
  one.observe('/a', 'GET', 200, 1)
  assert.doesNotMatch(await other.text(), /route="\/a"/)
})
