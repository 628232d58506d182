import assert from 'node:assert/strict'
import { type Denial, testDenials } from './support/denial-tests.ts'

/** What the guest lets through at once. */
const MOST_HOST_CALLS = 256
const MOST_LOG_CHARACTERS = 1_048_576

const denials: Denial[] = [
  {
    by: 'two million calls of the host that nobody waits for',
    code: "for (let n = 0; n < 2e6; n++) host.storage.get('k').catch(() => {}); return 1",
    check: ({ hostCalls }) => assert.ok(hostCalls <= MOST_HOST_CALLS, `${hostCalls} calls`),
  },
  {
    by: 'calls of the host that are never through',
    code: "for (let n = 0; n < 5000; n++) host.storage.delete('k').catch(() => {}); await host.clock.sleep(200); return 1",
    check: ({ hostCalls }) => assert.equal(hostCalls, MOST_HOST_CALLS),
  },
  {
    by: 'many calls of the host with the longest arguments',
    code: "const key = 'x'.repeat(3e6); for (let n = 0; n < 60; n++) host.storage.get(key).catch(() => {}); await host.clock.sleep(1500); return 1",
    rehearsed: true,
    memoryMiB: 1024,
    unresponsiveAfterMs: 10_000,
    callTimeoutMs: 10_000,
    check: ({ hostCalls }) => assert.equal(hostCalls, 60),
  },
  {
    by: 'calls of the host with lists of numbers',
    code: 'const list = []; for (let n = 0; n < 1e5; n++) list.push(n); for (let n = 0; n < 40; n++) host.storage.get(list).catch(() => {}); await host.clock.sleep(1500); return 1',
    memoryMiB: 512,
    unresponsiveAfterMs: 10_000,
    callTimeoutMs: 10_000,
    check: ({ hostCalls }) => assert.equal(hostCalls, 40),
  },
  {
    by: 'calls of the host with more empty lists than fit into time',
    code: 'const list = []; for (let n = 0; n < 1e6; n++) list.push([]); return host.storage.get(list).then(() => 1, (error) => error.code)',
    memoryMiB: 512,
    check: ({ hostCalls }) => assert.equal(hostCalls, 0),
  },
  {
    by: 'small calls of the host as fast as they are answered',
    code: "const one = async () => { for (;;) await host.storage.get('k') }; await Promise.all(Array.from({ length: 250 }, one))",
    callTimeoutMs: 1500,
  },
  {
    by: 'calls of methods that the host does not have',
    code: "const all = []; for (let n = 0; n < 20000; n++) all.push(host.secrets.get('x'.repeat(100)).catch(() => {})); await Promise.all(all); return 1",
  },
  {
    by: 'requests that are given up at once',
    code: "for (let n = 0; n < 3000; n++) { const one = new AbortController(); fetch('http://h/', { signal: one.signal }).catch(() => {}); one.abort() } await host.clock.sleep(300); return 1",
    memoryMiB: 256,
  },
  {
    by: 'two million log lines of 1 KB',
    code: "const line = 'x'.repeat(1024); for (let n = 0; n < 2e6; n++) console.log(line); return 1",
    check: ({ logCharacters }) => assert.ok(logCharacters <= MOST_LOG_CHARACTERS),
  },
  {
    by: 'log lines of nothing',
    code: "for (let n = 0; n < 2e5; n++) console.log(''); return 1",
    check: ({ logLines }) => assert.ok(logLines < 20_000, `${logLines} lines`),
  },
  {
    by: 'log lines of 16 MB',
    code: "const line = 'x'.repeat(2 ** 24); for (let n = 0; n < 200; n++) { console.log(line, line); host.log.info(line, { line }) } return 1",
    check: ({ logCharacters }) => assert.ok(logCharacters <= MOST_LOG_CHARACTERS),
  },
  {
    by: 'log lines with fields that nest and never end',
    code: `let deep = []; for (let n = 0; n < 1e5; n++) deep = [deep]
      for (let n = 0; n < 1000; n++) host.log.info('x', { deep })
      host.log.info('x', new Proxy({}, { ownKeys() { for (;;) {} } }))`,
    ends: true,
  },
  {
    by: 'log lines of many values',
    code: 'const values = new Array(1e5).fill({ a: [] }); for (let n = 0; n < 1000; n++) console.log(...values); return 1',
  },
  {
    by: 'two million timers',
    code: 'let made = 0; for (let n = 0; n < 2e6; n++) try { setTimeout(() => {}, 1e6); made++ } catch {} return made',
    check: ({ said }) => assert.ok(said === undefined || said === 10_000, String(said)),
  },
  {
    by: 'timers that are set and cleared as fast as it goes',
    code: 'for (let n = 0; n < 2e6; n++) clearTimeout(setTimeout(() => {}, 1e6)); return 1',
  },
  {
    by: 'a hundred thousand rejections that nobody handles',
    code: "for (let n = 0; n < 1e5; n++) Promise.reject(new Error('x' + n)); return 1",
    check: ({ logLines }) => assert.ok(logLines < 20_000, `${logLines} lines`),
  },
  {
    by: 'an error thrown by a timer',
    code: "setTimeout(() => { throw new Error('late') }, 1); await host.clock.sleep(50); return 1",
    check: ({ answers, logLines }) => assert.deepEqual([answers, logLines], [['ok'], 1]),
  },
  {
    by: 'errors thrown by timers, microtasks and rejections without end',
    code: 'const again = () => { Promise.reject(new Error("x".repeat(1e5))); setTimeout(again, 0); throw new Error("y") }; for (let n = 0; n < 100; n++) again; again()',
    lingerMs: 1000,
  },
  {
    by: 'attempts to derive keys on the threads that the host shares',
    code: `const derive = () => crypto.subtle.deriveBits({ name: 'PBKDF2', salt: new Uint8Array(8), iterations: 3e6, hash: 'SHA-512' }, {}, 256)
      const tries = await Promise.allSettled(Array.from({ length: 16 }, async () => derive()))
      return tries.every(({ status }) => status === 'rejected')`,
    check: ({ said }) => assert.equal(said, true),
  },
  {
    by: 'signatures, keys and digests as fast as it goes',
    code: `const make = () => crypto.subtle.generateKey({ name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, false, ['sign', 'verify'])
      for (;;) await Promise.all([make(), crypto.subtle.digest('SHA-512', new Uint8Array(2 ** 24))])`,
    callTimeoutMs: 1500,
    check: ({ answers, end }) =>
      assert.ok(answers[0] === 'timeout' || end?.cause === 'unresponsive', answers.join()),
  },
  {
    by: 'streams that are opened and never read',
    code: `const open = () => { try { return fetch('http://h/', { method: 'POST', duplex: 'half', body: new ReadableStream({ pull() { return new Promise(() => {}) } }) }).catch(() => {}) } catch {} }
      await Promise.race([Promise.all(Array.from({ length: 2000 }, open)), host.clock.sleep(500)])
      return 1`,
    memoryMiB: 256,
  },
]

await testDenials(denials)
