import assert from 'node:assert/strict'
import { type Denial, testDenials } from './support/denial-tests.ts'

/** Each strikes once: what goes on in its place answers. */
const once = (strike: string) =>
  `if ((await host.storage.get('k')) === 1) { ${strike} } return 'goes on'`

/** A thread that cannot be stopped costs a core until it is through; its plugin moves to a process at once. */
const moved: Denial['check'] = ({ answers, after }, level) => {
  assert.deepEqual(answers, ['plugin_failure'])
  if (level !== 'worker') return
  assert.equal(after?.health.moved?.from, 'worker')
  assert.match(after?.health.level ?? '', /^process/)
  assert.equal(after?.answer, 'goes on')
}

/** The engine runs these without a pause, and nothing stands between them and it that could be vetted. */
const denials: Denial[] = [
  {
    by: 'a text of 128 MB that is copied into an object, and the plugin goes on in a process',
    code: once(
      "let text = 'x'; while (text.length < 2 ** 27) text += text; const copy = { ...text }; return copy.length",
    ),
    supervised: true,
    lasting: true,
    check: moved,
  },
  {
    by: 'the indexes of a buffer of 128 MB as keys',
    code: 'for (const key in new Uint8Array(2 ** 27)) if (key === "x") return 1; return 2',
    processOnly: true,
  },
  {
    by: 'the places of a text of a quarter gigabyte as keys',
    code: "let text = 'x'; while (text.length < 2 ** 28) text += text; for (const key in new String(text)) if (key === 'x') return 1; return 2",
    processOnly: true,
  },
  {
    by: 'names that the engine collects from a text of a quarter gigabyte',
    code: "let text = 'x'; while (text.length < 2 ** 28) text += text; return Object.getOwnPropertyNames(text).length",
    processOnly: true,
  },
]

await testDenials(denials)
