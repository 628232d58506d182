import assert from 'node:assert/strict'
import { type Denial, testDenials } from './support/denial-tests.ts'

const endlessLoop = 'while (true) {}'
const part = '{ federationToLocalMapper: { async getToken() { return {} } } }'

const denials: Denial[] = [
  { by: 'a loop without end', code: endlessLoop, ends: true },
  {
    by: 'a regular expression that backtracks for ever',
    code: "/(a+)+$/.test('a'.repeat(40) + '!')",
    ends: true,
  },
  {
    by: 'microtasks without end',
    code: 'const again = () => Promise.resolve().then(again); again(); return 1',
    lingerMs: 2000,
    ends: true,
  },
  {
    by: 'timers that multiply',
    code: 'const multiply = () => { setTimeout(multiply, 0); setTimeout(multiply, 0) }; multiply(); return 1',
    lingerMs: 1000,
  },
  {
    by: 'a search through an object that claims to be the longest list',
    code: 'Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)',
    ends: true,
  },
  {
    by: 'turning round an object that claims to be the longest list',
    code: 'Array.prototype.reverse.call({ length: 2 ** 53 - 1 })',
    ends: true,
  },
  {
    by: 'a search through a list with a hole of four billion items',
    code: 'const list = []; list[2 ** 32 - 2] = 1; list.indexOf(2)',
    ends: true,
  },
  {
    by: 'a backward search through a list with a hole of four billion items',
    code: 'const list = []; list[2 ** 32 - 2] = 1; list.lastIndexOf(2)',
    ends: true,
  },
  { by: 'a number that is squared for ever', code: 'let n = 3n; for (;;) n *= n', ends: true },
  {
    by: 'a number of millions of digits that is written out',
    code: 'let n = 3n; for (let k = 0; k < 25; k++) n *= n; return n.toString().length',
    ends: true,
  },
  { by: 'a loop while the bundle is loaded', code: 'return 1', before: endlessLoop },
  {
    by: 'a loop in create',
    code: '',
    bundle: `module.exports = { create() { ${endlessLoop} } }`,
  },
  {
    by: 'a create that never answers',
    code: '',
    bundle: 'module.exports = { create: () => new Promise(() => {}) }',
    check: ({ answers }) => assert.deepEqual(answers, ['timeout']),
  },
  {
    by: 'a loop behind what the bundle exports',
    code: '',
    bundle: `Object.defineProperty(module, 'exports', { get() { ${endlessLoop} } })`,
  },
  {
    by: 'a loop in a getter of the offer',
    code: '',
    bundle: `module.exports = { create: () => ({ get federationToLocalMapper() { ${endlessLoop} } }) }`,
  },
  {
    by: 'a loop in the names of the offer',
    code: '',
    bundle: `module.exports = { create: () => new Proxy(${part}, { ownKeys() { ${endlessLoop} } }) }`,
  },
  {
    by: 'a chain of prototypes without end in the offer',
    code: '',
    bundle: `const next = () => new Proxy({}, { getPrototypeOf: next, ownKeys: () => [] }); module.exports = { create: () => ({ federationToLocalMapper: next() }) }`,
  },
  {
    by: 'a loop in then of what is answered',
    code: '',
    bundle: `module.exports = { create: () => ({ federationToLocalMapper: { getToken: () => ({ then() { ${endlessLoop} } }) } }) }`,
    ends: true,
  },
  {
    by: 'a loop that begins after the last answer',
    code: `setTimeout(() => { ${endlessLoop} }, 20); return 1`,
    lingerMs: 3000,
    ends: true,
  },
  {
    by: 'a loop in every one of many calls',
    code: endlessLoop,
    calls: 200,
    ends: true,
  },
  {
    by: 'recursion without end',
    code: 'const deeper = () => deeper() + 1; try { deeper() } catch {}; return 1',
    check: ({ answers }) => assert.deepEqual(answers, ['ok']),
  },
  {
    by: 'calls of the host from the bottom of the stack',
    code: `const deeper = () => { try { deeper() } finally { try { host.storage.get('k').catch(() => {}); host.log.info('deep', { a: [[[]]] }); } catch {} } }
      try { deeper() } catch {}
      await host.clock.sleep(200)
      return (await host.storage.get('k')) > 0`,
    unresponsiveAfterMs: 10_000,
    callTimeoutMs: 10_000,
    check: ({ answers, said }) => assert.deepEqual([answers, said], [['ok'], true]),
  },
]

await testDenials(denials)
