import { contracts, type MethodContract } from '@fogbow/plugin-sdk'
import { bodyOf } from './bodies.ts'

const pascal = (kind: string) => kind.charAt(0).toUpperCase() + kind.slice(1)

export function fileName(kind: string): string {
  return `${kind.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.ts`
}

/** The source of one part: its required methods, with what their contract says of them. */
export function partText(kind: string, kinds: readonly string[]): string {
  const { description = '', methods = {} } = contracts[kind] ?? {}
  const required = Object.entries(methods).filter(([, { optional }]) => !optional)
  const body = bodyOf(kind, kinds)
  const texts = required.map(([name, method]) => methodText(name, method, body.methods[name]))
  const code = [body.before, ...texts].join('\n')
  const type = `${pascal(kind)}Plugin`
  const values = ['FogbowError', 'rankCandidates'].filter((name) => code.includes(name))
  const imports = [`type ${type}`, ...values].sort(byName).join(', ')
  const means = ['cloud', 'host', 'tokens'].filter((name) => new RegExp(`\\b${name}\\.`).test(code))
  const given = means.length > 0 ? `{ ${means.join(', ')} }: Means` : ''
  return `import { ${imports} } from '@fogbow/plugin-sdk'
${given ? "import type { Means } from './means.ts'\n" : ''}
${body.before}/** ${description}. */
export function create${pascal(kind)}Part(${given}): ${type} {
  return {
${texts.join('\n')}  }
}
`.replace(/^import \{ type (\w+) \} from/m, 'import type { $1 } from')
}

function methodText(name: string, { params, description }: MethodContract, body = missing): string {
  const names = params.map((param) => param.name)
  while (names.length > 0 && !new RegExp(`\\b${names.at(-1)}\\b`).test(body)) names.pop()
  const given = names.map((param) =>
    new RegExp(`\\b${param}\\b`).test(body) ? param : `_${param}`,
  )
  return `${comment(description)}
    async ${name}(${given.join(', ')}) {
${body.trimEnd().replace(/^(?=.)/gm, '      ')}
    },
`
}

/** `type X` stands where `X` does. */
function byName(a: string, b: string): number {
  return a.replace('type ', '') < b.replace('type ', '') ? -1 : 1
}

const missing = "throw new FogbowError('not_implemented', 'not written yet')"
const LONGEST_LINE = 92

/** As a docstring, in lines that are not too long. */
function comment(text: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line.length + word.length < LONGEST_LINE) lines[lines.length - 1] = `${line} ${word}`.trim()
    else lines.push(word)
  }
  if (lines.length === 1) return `    /** ${lines[0]} */`
  return ['    /**', ...lines.map((line) => `     * ${line}`), '     */'].join('\n')
}
