import 'ses'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCode } from './check-code.ts'

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

test('a finding says where it is', () => {
  const checked = checkCode('"use strict";let a=1;import(a)')
  assert.ok('finding' in checked)
  assert.equal(checked.finding.offset, 21)
})
