import { conformanceText, packageJsonText } from './package-json.ts'
import { fileName, partText } from './part.ts'
import { cloudText, meansText, tokensText } from './support.ts'
import { changelog, gitignore, license, readme, testText, tsconfig } from './texts.ts'

export interface TemplateOptions {
  name: string
  kinds: readonly string[]
}

const pascal = (kind: string) => kind.charAt(0).toUpperCase() + kind.slice(1)

/** The files of a plugin that offers these kinds, by path. What the contracts say decides what is in them. */
export function pluginFiles({ name, kinds }: TemplateOptions): Map<string, string> {
  const parts = kinds.map((kind): [string, string] => [fileName(kind), partText(kind, kinds)])
  const code = parts.map(([, text]) => text).join('')
  const uses = { cloud: /\bcloud\./.test(code), tokens: /\btokens\./.test(code) }
  const sources = new Map<string, string>([
    ['index.ts', indexText(kinds, uses)],
    ...parts,
    ...(uses.cloud ? [['cloud.ts', cloudText(kinds)] as [string, string]] : []),
    ...(uses.tokens ? [['tokens.ts', tokensText] as [string, string]] : []),
  ])
  sources.set('means.ts', meansText([...sources.values()].join('')))
  const all = [...sources.values()].join('')
  return new Map([
    ['package.json', packageJsonText({ name, kinds, code: all })],
    ['fogbow.conformance.json', conformanceText({ kinds, code: all })],
    ...sources,
    ['index.test.ts', testText],
    ['README.md', readme({ name, kinds, files: [...sources.keys()] })],
    ['CHANGELOG.md', changelog],
    ['LICENSE', license(name)],
    ['tsconfig.json', tsconfig],
    ['.gitignore', gitignore],
  ])
}

interface Uses {
  cloud: boolean
  tokens: boolean
}

function indexText(kinds: readonly string[], uses: Uses): string {
  const imports = [
    ...kinds.map((kind) => [`create${pascal(kind)}Part`, `./${fileName(kind)}`]),
    ...(uses.cloud ? [['createCloud', './cloud.ts']] : []),
    ...(uses.tokens ? [['createTokens', './tokens.ts']] : []),
  ].sort(([, a = ''], [, b = '']) => (a < b ? -1 : 1))
  const means = [
    'host',
    ...(uses.cloud ? ['cloud: createCloud(host)'] : []),
    ...(uses.tokens ? ['tokens: createTokens(host)'] : []),
  ].join(', ')
  const parts = kinds.map((kind) => {
    const given = partText(kind, kinds).includes('}: Means)') ? 'means' : ''
    return `      ${kind}: create${pascal(kind)}Part(${given}),`
  })
  return `import { definePlugin } from '@fogbow/plugin-sdk'
${imports.map(([name, file]) => `import { ${name} } from '${file}'`).join('\n')}
import type { Config } from './means.ts'

/** All that the plugin offers to a site, part by part. */
export default definePlugin<Config>({
  create(host) {
    const means = { ${means} }
    return {
${parts.join('\n')}
    }
  },
})
`
}
