import { type Node, type Options, type Program, parse, type Token, tokTypes } from 'acorn'

/** Name that the bundler is told to write for `import.meta`. */
export const IMPORT_META = '__fogbow_import_meta'
/** The bundler reserves this name: whatever a package binds to it is called otherwise in the bundle. */
const FREE_REQUIRE = 'require'
const MADE_CODE = 'code made at run time (Function)'

/** Something that a plugin may not contain. */
export interface Finding {
  construct: string
  remedy: string
  /** Place in the code, characters. */
  offset: number
}

interface Edit {
  start: number
  end: number
  text: string
}

interface Review {
  edits: Edit[]
  /** Nodes that were dealt with by their parent. */
  settled: Set<Node>
  /** Where parts of tagged templates start: the tag sees their spelling, so that it has to stay. */
  raw: Set<number>
}

/**
 * Checks a bundle, and respells what the sandbox's own textual checks would mistake for code: `<!--`, `-->`, `import(`,
 * `import.` and `eval(` inside strings, templates, regular expressions and method names keep their value but are written
 * with escapes. Takes strict mode for granted, as the sandbox does.
 */
export function checkCode(code: string): { code: string } | { finding: Finding } {
  const edits: Edit[] = []
  const parsed = parseStrict(code, (token) => respellLiteral(code, token, edits))
  if ('finding' in parsed) return parsed
  const review: Review = { edits, settled: new Set(), raw: new Set() }
  for (const node of nodesOf(parsed.program)) {
    const finding = visit(node, review)
    if (finding) return { finding }
  }
  const kept = edits.filter((edit) => !review.raw.has(edit.start))
  const finding = textualFinding(code, kept)
  return finding ? { finding } : { code: apply(code, kept) }
}

function parseStrict(
  code: string,
  onToken: (token: Token) => void,
): { program: Program } | { finding: Finding } {
  const options: Options = { ecmaVersion: 'latest', sourceType: 'script', onToken }
  try {
    return { program: parse(code, options) }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    if (error.message.includes('stack space')) return { finding: tooDeep }
    const offset = 'pos' in error ? Number(error.pos) : 0
    if (PHASE_IMPORT.test(code.slice(offset))) return { finding: { ...phaseImport, offset } }
    const construct = error.message.replace(/ \(\d+:\d+\)$/, '')
    return {
      finding: { construct, offset, remedy: 'plugins are JavaScript in strict mode' },
    }
  }
}

/** Where the parser stops: at the word behind `import.`, which it does not know. */
const PHASE_IMPORT = /^(source|defer)\b/

const phaseImport = {
  construct: 'import.source() or import.defer()',
  remedy: 'import modules by a constant name',
}

const tooDeep: Finding = {
  construct: 'code nested this deeply',
  remedy: 'split its expressions',
  offset: 0,
}

/** Every node, parents before their children; without recursion, since a bundle may be nested deeply. */
function* nodesOf(program: Program): Generator<Node> {
  const open: Node[] = [program]
  for (let node = open.pop(); node; node = open.pop()) {
    yield node
    for (const value of Object.values(node)) {
      if (isNode(value)) open.push(value)
      else if (Array.isArray(value)) for (const item of value) if (isNode(item)) open.push(item)
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

/** The parts of a node that the check looks at; which of them are there depends on its type. */
interface AnyNode extends Node {
  name?: string
  value?: unknown
  operator?: string
  computed?: boolean
  callee?: AnyNode
  argument?: AnyNode
  key?: AnyNode
  property?: AnyNode
  quasi?: { quasis: Node[] }
  tag?: AnyNode
  arguments?: AnyNode[]
}

function visit(node: AnyNode, review: Review): Finding | undefined {
  if (review.settled.has(node)) return undefined
  switch (node.type) {
    case 'ImportExpression':
      return found(node, 'import() of a computed name', 'import modules by a constant name')
    case 'CallExpression':
    case 'NewExpression':
      return visitCall(node, review)
    case 'UnaryExpression':
      if (node.operator === 'typeof' && node.argument?.name === FREE_REQUIRE) {
        review.settled.add(node.argument)
        review.edits.push({ start: node.start, end: node.end, text: '"undefined"' })
      }
      return undefined
    case 'Identifier':
      return visitIdentifier(node)
    case 'MemberExpression':
      if (node.property && !node.computed) visitProperty(node.property, review)
      return undefined
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      if (node.key && !node.computed) visitKey(node.key, review)
      return undefined
    case 'TaggedTemplateExpression':
      for (const part of node.quasi?.quasis ?? []) review.raw.add(part.start)
      if (node.tag?.name === 'Function') return found(node, MADE_CODE, 'ship the code itself')
      return undefined
    default:
      return undefined
  }
}

function visitIdentifier(node: AnyNode): Finding | undefined {
  if (node.name === FREE_REQUIRE) {
    return found(node, 'require() of a computed name', 'require modules by a constant name')
  }
  if (node.name === IMPORT_META) {
    return found(node, 'import.meta', 'a plugin has no files of its own at run time')
  }
  return undefined
}

function visitCall(node: AnyNode, review: Review): Finding | undefined {
  const [first, ...others] = node.arguments ?? []
  const constant = others.length === 0 && first?.type === 'Literal' ? first.value : undefined
  const replaceBy = (text: string) => {
    review.edits.push({ start: node.start, end: node.end, text })
    if (node.callee) review.settled.add(node.callee)
  }
  if (node.callee?.type !== 'Identifier') return undefined
  switch (node.callee.name) {
    case 'eval':
      return found(node, 'eval()', 'ship the code itself')
    case 'Function':
      if (!first) return undefined
      if (constant !== 'return this') {
        return found(node, MADE_CODE, 'ship the code itself')
      }
      replaceBy('(()=>globalThis)')
      return undefined
    case FREE_REQUIRE:
      // The bundler leaves these in `try` blocks only: an optional package that is not installed.
      if (typeof constant !== 'string') return undefined
      replaceBy(`(()=>{throw new Error(${JSON.stringify(`${constant} is not installed`)})})()`)
      return undefined
    default:
      return undefined
  }
}

function found(node: Node, construct: string, remedy: string): Finding {
  return { construct, remedy, offset: node.start }
}

function visitKey(key: AnyNode, review: Review): void {
  review.settled.add(key)
  if (key.type === 'Identifier' || key.type === 'PrivateIdentifier') respellName(key, review)
}

/** Behind a dot no name looks like code, unless it is a private one. */
function visitProperty(property: AnyNode, review: Review): void {
  review.settled.add(property)
  if (property.type === 'PrivateIdentifier') respellName(property, review)
}

function respellName(name: AnyNode, review: Review): void {
  if (name.name !== 'import' && name.name !== 'eval') return
  const text = name.name === 'import' ? 'impor\\u0074' : 'eva\\u006c'
  const mark = name.type === 'PrivateIdentifier' ? '#' : ''
  review.edits.push({ start: name.start, end: name.end, text: mark + text })
}

const literals = new Set([
  tokTypes.string,
  tokTypes.template,
  tokTypes.invalidTemplate,
  tokTypes.regexp,
])

const HTML_OPEN = '<!--'
const HTML_CLOSE = '-->'
const IMPORT_TEXT = /\bimport(?=\s*(?:\(|\.|\/[/*]))/g
const EVAL_TEXT = /\beval(?=\s*\()/g
const CODE_LIKE = /<!--|-->|(?:^|[^.]|\.\.\.)\b(?:import\s*(?:\(|\.|\/[/*])|eval\s*\()/

function respellLiteral(code: string, token: Token, edits: Edit[]): void {
  if (!literals.has(token.type)) return
  const spelt = code.slice(token.start, token.end)
  const text = spelt
    // Its end, since `(?<!` is a mark of its own in regular expressions.
    .replaceAll(HTML_OPEN, '<!-\\x2d')
    .replaceAll(HTML_CLOSE, '--\\x3e')
    .replace(IMPORT_TEXT, 'impor\\x74')
    .replace(EVAL_TEXT, 'eva\\x6c')
  if (text !== spelt) edits.push({ start: token.start, end: token.end, text })
}

/** What the sandbox would still take for code, outside of everything that was respelt. */
function textualFinding(code: string, edits: Edit[]): Finding | undefined {
  const blanked = apply(
    code,
    edits.map(({ start, end }) => ({ start, end, text: ' '.repeat(end - start) })),
  )
  const hit = CODE_LIKE.exec(blanked)
  if (!hit) return undefined
  const remedy = 'the sandbox cannot tell it from code; spell it with an escape'
  return { construct: `the text '${hit[0]}'`, remedy, offset: hit.index }
}

function apply(code: string, edits: Edit[]): string {
  let text = ''
  let at = 0
  for (const edit of edits.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (edit.start < at) continue
    text += code.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return text + code.slice(at)
}
