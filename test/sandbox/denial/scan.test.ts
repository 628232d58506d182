import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openScan } from './scan/scan.ts'
import { callsOfOne, describeCall, type Finding } from './scan/scan-order.ts'

/** Of so many calls one is tried, always the same: two or so for each function. All of them are for `scan/run.ts`. */
const ONE_OF = 1999

const scan = await openScan('worker')
const { catalogue } = scan
after(() => scan.close())

test('the walk finds the methods of the language and of the web, and not what was taken away', () => {
  const { functions } = catalogue
  for (const name of ['Array.prototype.map', 'Object.keys', 'Iterator.prototype.drop', 'fetch'])
    assert.ok(functions.includes(name), name)
  for (const name of ['eval', 'Compartment', 'Atomics.wait', 'WebAssembly.compile'])
    assert.ok(!functions.includes(name), name)
  assert.ok(functions.length > 1000, `${functions.length} functions`)
})

test('no call of a sample outlives the kill of its guest, and none ends the host', async () => {
  const found: Finding[] = []
  const to = catalogue.functions.length * callsOfOne(catalogue)
  await scan.run({ from: 0, to, step: ONE_OF }, (finding) => found.push(finding))
  const calls = found
    .filter(({ outcome }) => outcome === 'zombie' || outcome === 'host died')
    .map(({ number, outcome, why }) => ({ outcome, why, ...describeCall(catalogue, number) }))
  assert.deepEqual(calls, [])
  // The hostile values are that: some of them have to be stopped.
  assert.ok(found.length > 0)
})
