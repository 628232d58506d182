import { contracts } from '@fogbow/plugin-sdk'

/** Taken out by whoever has written a README of his own; `fogbow-plugin validate` looks for it. */
const TEMPLATE_MARK = '<!-- fogbow-plugin-template -->'

interface ReadmeOptions {
  name: string
  kinds: readonly string[]
  files: readonly string[]
}

export function readme({ name, kinds, files }: ReadmeOptions): string {
  const offers = kinds.map((kind) => `- \`${kind}\`: ${contracts[kind]?.description ?? ''}`)
  return `${TEMPLATE_MARK}

# ${name}

Say here which cloud or service the plugin connects, for whom, and what an administrator needs before installing it.

## What it offers

${offers.join('\n')}

## How it is configured

Settings and secrets are described in the \`fogbow\` block of \`package.json\`.

## How it is written

Start reading at \`index.ts\`; ${files.length} source files.${files.includes('cloud.ts') ? ' `cloud.ts` stands for the cloud: that is what to replace first.' : ''}

\`\`\`sh
npm install
npm test             # the conformance cases, as unit tests
npm run conformance  # the same, also in a sandbox
npm run dev          # a site with the plugin; changes of its files are taken over
npm run validate     # what the marketplace will check
npm run key          # once: a key to sign with; keep it out of the package
npm run release      # the signed tarball, with a signed report of the conformance cases: npm publish it
\`\`\`
`
}

export const changelog = `# Changelog

## 0.1.0

- First version.
`

export const testText = `import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { conformanceInProcess } from '@fogbow/plugin-sdk/testing'
import plugin from './index.ts'

const text = await readFile(new URL('./fogbow.conformance.json', import.meta.url), 'utf8')

for (const { kind, name, skip, run } of await conformanceInProcess(plugin, JSON.parse(text)))
  test(\`\${kind}: \${name}\`, { skip: skip ?? false }, run)
`

export const tsconfig = `{
  "compilerOptions": {
    "target": "es2024",
    "module": "nodenext",
    "noEmit": true,
    "allowImportingTsExtensions": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "skipLibCheck": true,
    "strict": true
  }
}
`

export const gitignore = `node_modules/
*.tgz
*.key
fogbow.conformance-report.json
`

export function license(name: string): string {
  return `MIT License

Copyright (c) the authors of ${name}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`
}
