import { type Denial, testDenials } from './support/denial-tests.ts'

const denials: Denial[] = [
  {
    by: 'many small objects',
    code: "const kept = []; for (let n = 0; ; n++) kept.push({ n, text: 'x' + n })",
    ends: true,
  },
  {
    by: 'one list that grows by numbers',
    code: 'const kept = []; for (let n = 0; ; n++) kept.push(n)',
    ends: true,
  },
  {
    by: 'lists that are filled at once',
    code: 'for (const kept = []; ; ) kept.push(new Array(5e7).fill(1.5))',
    ends: true,
  },
  {
    by: 'a list that doubles',
    code: 'let list = [1]; for (;;) list = list.concat(list)',
    ends: true,
  },
  {
    by: 'texts that are all different',
    code: "const kept = []; for (let n = 0; ; n++) { const text = ('x' + n).repeat(1000); /y/.test(text); kept.push(text) }",
    ends: true,
  },
  {
    by: 'a map that grows',
    code: 'const map = new Map(); for (let n = 0; ; n++) map.set(n, n)',
    ends: true,
  },
  {
    by: 'promises that never settle',
    code: 'const kept = []; for (;;) kept.push(new Promise(() => {}))',
    ends: true,
  },
  {
    by: 'an object of ten million keys',
    code: "const object = {}; for (let n = 0; n < 1e7; n++) object['k' + n] = n; return 1",
    ends: true,
  },
  {
    by: 'array buffers that are used',
    code: 'const kept = []; for (;;) kept.push(new Uint8Array(2 ** 24).fill(1))',
    ends: true,
  },
  {
    by: '64 array buffers of a gigabyte that nobody touches',
    code: 'const kept = []; for (let n = 0; n < 64; n++) kept.push(new ArrayBuffer(2 ** 30)); return kept.length',
  },
  {
    by: 'one array buffer of four gigabytes that is filled',
    code: 'return new Uint8Array(2 ** 32).fill(1).length',
  },
  {
    by: 'array buffers that are resized',
    code: 'for (const kept = []; ; ) { const one = new ArrayBuffer(8, { maxByteLength: 2 ** 28 }); one.resize(2 ** 28); new Uint8Array(one).fill(1); kept.push(one) }',
    ends: true,
  },
  {
    by: 'array buffers that are copied to a greater length',
    code: 'for (const kept = []; ; ) kept.push(new Uint8Array(new ArrayBuffer(8).transfer(2 ** 32)).fill(1))',
  },
  {
    by: 'closures, sets and symbols without end',
    code: 'const kept = new Set(); for (;;) { const symbol = Symbol(); kept.add(() => symbol) }',
    ends: true,
  },
  {
    by: 'errors that are chained without end',
    code: 'let error; for (;;) error = new Error("x", { cause: error })',
    ends: true,
  },
  {
    by: 'generators and iterators without end',
    code: 'const kept = []; for (;;) kept.push((function* () { yield kept })())',
    ends: true,
  },
  {
    by: 'listeners and signals without end',
    code: 'const target = new EventTarget(); const kept = []; for (;;) { kept.push(new AbortController()); target.addEventListener("x" + kept.length, () => {}) }',
    ends: true,
  },
  {
    by: 'memory that is taken slowly, between answers',
    code: 'const kept = []; for (;;) { for (let n = 0; n < 20000; n++) kept.push({ n }); await host.clock.sleep(1) }',
    ends: true,
  },
]

await testDenials(denials)
