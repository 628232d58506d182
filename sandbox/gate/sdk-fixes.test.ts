import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildBundle } from './build-bundle.ts'
import { evaluate, temporaryFolder, writePackage } from './fixtures/packages.ts'
import { sdkFixes } from './sdk-fixes.ts'

const xmlBuilder = 'node_modules/@aws-sdk/xml-builder'

test('the parser that runs without a page takes the place of the one for browsers', async (t) => {
  const packageDir = await temporaryFolder(t)
  await writePackage(packageDir, {
    'index.ts': `import { parser } from '@aws-sdk/xml-builder'
      export default parser`,
    [`${xmlBuilder}/package.json`]: `{"name":"@aws-sdk/xml-builder","module":"dist-es/index.js",
      "browser":{"./dist-es/xml-parser":"./dist-es/xml-parser.browser"}}`,
    [`${xmlBuilder}/dist-es/index.js`]: `export { parser } from './xml-parser'`,
    [`${xmlBuilder}/dist-es/xml-parser.js`]: `export const parser = 'of text'`,
    [`${xmlBuilder}/dist-es/xml-parser.browser.js`]: `export const parser = 'of pages'`,
  })
  const { code } = await buildBundle({ packageDir, entry: './index.ts' })
  assert.equal(evaluate(code), 'of text')
})

test('node-fetch is the fetch of the sandbox, also for those who have the package', async (t) => {
  const packageDir = await temporaryFolder(t)
  await writePackage(packageDir, {
    'index.ts': `import fetch, { Headers } from 'node-fetch'
      import old from './old.cjs'
      export default { lazy: async () => (await import('node-fetch')).default, direct: fetch, old, Headers }`,
    'old.cjs': `module.exports = require('node-fetch')`,
    'node_modules/node-fetch/package.json': '{"name":"node-fetch","main":"main.js"}',
    'node_modules/node-fetch/main.js': `module.exports = () => 'the package'`,
  })
  const { code } = await buildBundle({ packageDir, entry: './index.ts' })
  const globals = { fetch: (url: string) => `the sandbox's ${url}`, Headers: 'own' }
  const made = evaluate(code, globals) as {
    lazy(): Promise<(url: string) => string>
    direct(url: string): string
    old(url: string): string
    Headers: string
  }
  assert.equal(made.direct('a'), "the sandbox's a")
  assert.equal(made.old('b'), "the sandbox's b")
  assert.equal((await made.lazy())('c'), "the sandbox's c")
  assert.equal(made.Headers, 'own')
})

test('every fix says why it is there', () => {
  for (const { package: name, reason } of sdkFixes) assert.ok(reason.length > 20, name)
})
