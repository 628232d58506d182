import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../fixtures/packages.ts'
import { readNpmrc } from './npmrc.ts'

test('registries, scopes and credentials are those of npm: the global file, that of the user, then the environment', async (t) => {
  const home = await temporaryFolder(t)
  await mkdir(join(home, 'etc'))
  await writeFile(
    join(home, 'etc/npmrc'),
    'registry=https://global.example/\n@old:registry=https://old.example/\n',
  )
  await writeFile(
    join(home, '.npmrc'),
    `; a comment
registry = "https://mine.example/"
@company:registry=https://npm.company.example/
//npm.company.example/:_authToken=\${COMPANY_TOKEN}
//other.example/:_authToken=\${NOT_SET}
strict-ssl=false
script-shell=/bin/evil
`,
  )
  const options = await readNpmrc({
    HOME: home,
    PREFIX: home,
    COMPANY_TOKEN: 'secret-of-company',
    npm_config_https_proxy: 'http://proxy.example:3128',
    'npm_config_@new:registry': 'https://new.example/',
    npm_config_ignore_scripts: 'false',
  })
  assert.deepEqual(options, {
    registry: 'https://mine.example/',
    '@old:registry': 'https://old.example/',
    '@company:registry': 'https://npm.company.example/',
    '//npm.company.example/:_authToken': 'secret-of-company',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what npm leaves of a variable that is not set
    '//other.example/:_authToken': '${NOT_SET}',
    strictSSL: false,
    httpsProxy: 'http://proxy.example:3128',
    '@new:registry': 'https://new.example/',
  })
})

test('without any file there is nothing to know', async (t) => {
  const home = await temporaryFolder(t)
  assert.deepEqual(await readNpmrc({ HOME: home, PREFIX: home }), {})
})
