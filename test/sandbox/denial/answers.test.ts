import assert from 'node:assert/strict'
import { type Denial, testDenials } from './support/denial-tests.ts'

/** What the host may learn of an answer that it does not take. */
const refused: Denial['check'] = ({ answers }) =>
  assert.ok(
    answers.every((answer) => answer !== 'ok'),
    answers.join(),
  )

/** The flood has to arrive, or nothing was shown. */
const allTaken: Denial['check'] = ({ answers }) => assert.deepEqual(answers, ['ok'])

/** A plugin whose answer is exactly what the code makes. */
const answering = (code: string) =>
  `module.exports = { create: () => ({ federationToLocalMapper: { async getToken() { ${code} } } }) }`

const denials: Denial[] = [
  {
    by: 'an answer of 300 MB',
    code: '',
    lasting: true,
    bundle: answering(
      "let text = 'x'.repeat(2 ** 24); for (let n = 0; n < 4; n++) text += text; return { text: text + text.slice(0, 3e7) }",
    ),
    check: refused,
  },
  {
    by: 'an answer that nests five million times',
    code: '',
    bundle: answering(
      'let list = []; for (let n = 0; n < 5e6; n++) list = [list]; return { list }',
    ),
    check: refused,
  },
  {
    by: 'an answer that nests as deep as the stack',
    code: '',
    bundle: answering(
      'let list = []; for (let n = 0; n < 4000; n++) list = [list]; return { list }',
    ),
    check: refused,
  },
  {
    by: 'an answer of three million objects',
    code: '',
    bundle: answering(
      'const list = []; for (let n = 0; n < 3e6; n++) list.push({ n }); return { list }',
    ),
    check: refused,
  },
  {
    by: 'an answer of more empty lists than fit into time',
    code: '',
    bundle: answering(
      'const list = []; for (let n = 0; n < 1.3e6; n++) list.push([]); return { list }',
    ),
    check: refused,
  },
  {
    by: 'the longest answer that is allowed, in every one of many calls',
    code: '',
    bundle: answering("await host.clock.sleep(50); return { text: 'x'.repeat(4e6) }").replace(
      'create: ()',
      'create: (host)',
    ),
    calls: 50,
    rehearsed: true,
    memoryMiB: 1024,
    unresponsiveAfterMs: 10_000,
    callTimeoutMs: 10_000,
    check: allTaken,
  },
  {
    by: 'an answer of numbers, in every one of many calls',
    code: '',
    bundle: answering(
      'await host.clock.sleep(50); const list = []; for (let n = 0; n < 3e5; n++) list.push(n); return { list }',
    ).replace('create: ()', 'create: (host)'),
    calls: 40,
    rehearsed: true,
    memoryMiB: 1024,
    unresponsiveAfterMs: 10_000,
    callTimeoutMs: 10_000,
    check: allTaken,
  },
  {
    by: 'an answer whose names never end',
    code: '',
    bundle: answering('return new Proxy({}, { ownKeys() { for (;;) {} } })'),
    ends: true,
  },
  {
    by: 'an answer whose getters never end',
    code: '',
    bundle: answering(
      'const endless = () => ({ get next() { return endless() } }); return endless()',
    ),
    check: refused,
  },
  {
    by: 'an answer with a loop in toJSON',
    code: '',
    bundle: answering('return { toJSON() { for (;;) {} } }'),
    ends: true,
  },
  {
    by: 'an answer that claims to be the longest list',
    code: '',
    bundle: answering(
      'return { list: new Proxy([], { get: (list, key) => key === "length" ? 2 ** 53 - 1 : undefined }) }',
    ),
    check: refused,
  },
  {
    by: 'an error of 50 MB',
    code: "const piece = 'x'.repeat(2 ** 24); throw new Error(piece + piece + piece)",
    check: refused,
  },
  {
    by: 'an error with details of 50 MB',
    code: "const piece = 'x'.repeat(2 ** 24); throw Object.assign(new Error('x'), { code: 'quota_exceeded', details: { piece: [piece, piece, piece] } })",
    check: refused,
  },
  {
    by: 'an error whose message never ends',
    code: 'throw Object.defineProperties(new Error(), { message: { get() { for (;;) {} } }, code: { get() { for (;;) {} } }, name: { get() { for (;;) {} } } })',
    check: refused,
  },
  {
    by: 'an error chained to itself',
    code: "const error = new Error('x'); error.cause = error; error.errors = [error]; throw error",
    check: refused,
  },
  {
    by: 'an offer of a million methods',
    code: '',
    bundle:
      "module.exports = { create: () => { const part = { async getToken() { return {} } }; for (let n = 0; n < 1e6; n++) part['m' + n] = () => {}; return { federationToLocalMapper: part } } }",
  },
]

await testDenials(denials)
