import 'ses'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCode, IMPORT_META } from './check-code.ts'

function respelt(code: string): string {
  const checked = checkCode(`"use strict";${code}`)
  assert.ok('code' in checked, 'finding' in checked ? checked.finding.construct : '')
  return checked.code
}

/** What SES makes of it, whose textual checks are the reason for respelling. */
function valueIn(code: string): unknown {
  return new Compartment({ __options__: true, globals: {} }).evaluate(`(() => { ${code} })()`)
}

test('literals that look like code keep their value and pass the checks of SES', () => {
  const literals = [
    '"<!-- a -->"',
    "'import(x)'",
    '"import (x)"',
    '"import /* y */"',
    '"eval(x) eval (y)"',
    `\`a\${1}-->import("z")\${2}<!-- eval(\``,
    '"<!-->"',
    '"import.source(x) import . defer(y)"',
    '`import.meta -->`',
    '/import.source(a)/.test("import.sourcea")',
    '/[<!--]/u.test("!") && /(?<!--)a/.test("a")',
    '"\\x3c!-- \\u{3c}!--"',
    '({"<!--": 1, "eval(": 2})["<!--"]',
    '((tag) => tag`a b`)((strings) => strings.raw.join())',
    '(1, [..."-->"].length)',
    '"\\\\import(x)"',
    '"line\\nimport(x)"',
    '/<!--(x)-->/.exec("<!--x-->")[1]',
    '/import(a)/.test("importa")',
    '/[+-->]/v.test(">")',
  ]
  for (const literal of literals) {
    const code = `return ${literal}`
    const expected = new Function(code)() as unknown
    assert.equal(
      valueIn(respelt(`(()=>{${code}})()`).replace('"use strict";', 'return ')),
      expected,
    )
  }
})

test('methods called import or eval keep their names', () => {
  const code = respelt('({import(x){return x},eval(x){return x},async*import2(){}})')
  const value = valueIn(code.replace('"use strict";', 'return ')) as Record<string, unknown>
  assert.deepEqual(Object.keys(value), ['import', 'eval', 'import2'])
})

test('what only looks like a construct that is refused passes', () => {
  for (const code of [
    'class A{#eval(){}#import(){}b(){this.#eval();this.#import()}}',
    'a?.eval("1")',
    'a<! --b',
    'a-- >b',
    'a.import.source("x")',
    'a.eval("1")',
    'a.require(b)',
    '({require:1}).require',
    'class A{require(){}static import(){}}',
    'new Function()',
    'typeof require',
    'a.import(b)',
  ]) {
    assert.ok('code' in checkCode(code), code)
  }
})

const refused: [string, RegExp, number][] = [
  ['import("x")', /import\(\)/, 0],
  ['im\\u0070ort("x")', /Escape sequence in keyword/, 0],
  ['a;import.source("x")', /import\.source\(\)/, 2],
  ['a;import.defer("x")', /import\.defer\(\)/, 2],
  ['import/**/.source("x")', /import\.source\(\)/, 0],
  ['import.meta.url', /import\.meta/, 0],
  [`${IMPORT_META}.url`, /import\.meta/, 0],
  ['eval("1")', /eval\(\)/, 0],
  ['ev\\u0061l("1")', /eval\(\)/, 0],
  ['eval?.("1")', /eval\(\)/, 0],
  ['new Function("a","return a")', /code made at run time/, 0],
  ['Function("1")', /code made at run time/, 0],
  ['Functio\\u006e("1")', /code made at run time/, 0],
  ['Function(...a)', /code made at run time/, 0],
  ['Function?.("1")', /code made at run time/, 0],
  ['Function`1`', /code made at run time/, 0],
  ['with({}){}', /'with' in strict mode/, 0],
  ['require(a)', /require\(\)/, 0],
  ['let r=require', /require\(\)/, 6],
  ['requir\\u0065(a)', /require\(\)/, 0],
  ['a\n<!-- b', /<!--/, 2],
  ['a\n--> b', /-->/, 2],
  ['String.raw`import("x")`', /import\(/, 0],
  ['String.raw`import.source`', /import\./, 0],
  ['String.raw`<!--`', /<!--/, 0],
  ['a=010', /Invalid number|octal/i, 2],
  ['await 1', /Unexpected token|await/, 0],
]

for (const [code, construct, offset] of refused) {
  test(`${JSON.stringify(code)} is refused at its place with a remedy`, () => {
    const checked = checkCode(`"use strict";${code}`)
    assert.ok('finding' in checked, 'passed')
    assert.match(checked.finding.construct, construct)
    assert.ok(checked.finding.remedy.length > 0)
    const at = checked.finding.offset - '"use strict";'.length
    assert.ok(at >= offset, `reported at ${at}`)
  })
}

test('a finding says where it is', () => {
  const checked = checkCode('"use strict";let a=1;import(a)')
  assert.ok('finding' in checked)
  assert.equal(checked.finding.offset, 21)
})
