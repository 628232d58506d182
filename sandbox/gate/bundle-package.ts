import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { join } from 'node:path'
import { FogbowError } from '@fogbow/plugin-sdk'
import * as esbuild from 'esbuild'
import type { Bundle } from '../sandbox.ts'
import { builtinModules, globalBuffer, substituteFolders } from './builtin-modules.ts'
import { checkCode, type Finding, IMPORT_META } from './check-code.ts'
import { type BundleInput, confinedFiles, readConfined } from './confined-files.ts'
import { sdkFixPlugin } from './sdk-fixes.ts'
import { sdkFolder, sdkModule } from './sdk-module.ts'
import { switchedOff } from './switched-off.ts'

export type { BundleInput } from './confined-files.ts'

export interface BundleRequest {
  /** Absolute path of the unpacked package. */
  packageDir: string
  /** Module inside it whose default export is the plugin definition, such as `./index.ts`. */
  entry: string
  /** Further folders whose files may be bundled: those of its declared dependencies. */
  allowedRoots?: readonly string[]
  /** Largest bundle, bytes. */
  maxBundleBytes?: number
}

export interface BuiltBundle extends Bundle {
  /** Every file that was read, with what tells whether it changed since. */
  inputs: BundleInput[]
}

const ENTRY = 'fogbow:entry'
const MAX_BUNDLE_BYTES = 16 * 1024 * 1024

/** What all messages about one package need. */
interface Subject {
  /** `name@version` */
  id: string
  root: string
}

/** Bundles, rewrites and checks one package in this thread; see `buildBundle`. */
export async function bundlePackage(request: BundleRequest): Promise<BuiltBundle> {
  const subject = await identify(request.packageDir)
  const inputs = new Map<string, BundleInput>()
  const output = await bundle(request, subject, { inputs })
  const limit = request.maxBundleBytes ?? MAX_BUNDLE_BYTES
  if (output.code.length > limit) throw refusal(subject, tooLarge(output.code.length, limit))
  const checked = checkCode(output.code)
  if ('finding' in checked) {
    throw refusal(subject, await describe(checked.finding, request, subject, output.code))
  }
  const hash = createHash('sha256').update(checked.code).digest('hex')
  return { code: checked.code, hash, inputs: [...inputs.values()] }
}

async function identify(packageDir: string): Promise<Subject> {
  const root = await realpath(packageDir)
  const read = await readConfined(join(root, 'package.json'), [root])
  const identity = 'contents' in read ? parseObject(read.contents.toString('utf8')) : undefined
  if (!identity) {
    const message = `${root} has no package.json of its own that is a JSON object`
    throw new FogbowError('configuration_error', message)
  }
  return { id: `${identity.name}@${identity.version}`, root }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

interface BundleOptions {
  inputs: Map<string, BundleInput>
  /** Makes a source map as well; only to say where something is. */
  mapped?: boolean
}

async function bundle(request: BundleRequest, subject: Subject, options: BundleOptions) {
  const dependencies = await Promise.all((request.allowedRoots ?? []).map((root) => realpath(root)))
  const own = substituteFolders()
  const roots = [subject.root, ...dependencies, await realpath(sdkFolder)]
  const mapped = options.mapped === true
  try {
    const result = await esbuild.build({
      ...settings,
      absWorkingDir: subject.root,
      stdin: {
        contents: `export { default } from ${JSON.stringify(request.entry)}`,
        resolveDir: subject.root,
        sourcefile: ENTRY,
      },
      banner: { js: `/* ${subject.id.replaceAll('*/', '')} */"use strict";` },
      sourcemap: mapped ? 'external' : false,
      plugins: [
        sdkModule(),
        switchedOff([...roots, ...own]),
        sdkFixPlugin(),
        builtinModules([...roots, ...own]),
        confinedFiles({ roots, own, inputs: options.inputs, withoutMaps: mapped }),
      ],
    })
    const textOf = (ending: string) =>
      result.outputFiles.find((file) => file.path.endsWith(ending))?.text ?? ''
    const raw = textOf('.js')
    return { code: withoutPlaces(raw), raw, map: textOf('.js.map') }
  } catch (error) {
    throw refusal(subject, describeBuildErrors(error), error)
  } finally {
    await esbuild.stop()
  }
}

const settings = {
  bundle: true,
  write: false,
  outfile: 'plugin.js',
  format: 'cjs',
  platform: 'browser',
  target: 'es2022',
  mainFields: ['browser', 'module', 'main'],
  conditions: ['worker', 'browser', 'import', 'module', 'default'],
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  charset: 'utf8',
  keepNames: true,
  treeShaking: true,
  logLevel: 'silent',
  define: {
    __dirname: '"/"',
    __filename: '"/plugin.js"',
    global: 'globalThis',
    'import.meta': IMPORT_META,
    'import.meta.url': '"file:///plugin.js"',
    'process.env.NODE_ENV': '"production"',
  },
  // import() of a bundled module becomes a local promise; what is left is refused by the check.
  supported: { 'dynamic-import': true },
  inject: [globalBuffer],
  // Without these, files outside the package would take part: tsconfig.json of any parent, and NODE_PATH.
  tsconfigRaw: '{}',
  nodePaths: [],
} as const satisfies esbuild.BuildOptions

function tooLarge(bytes: number, limit: number): string {
  return `its bundle has ${bytes} bytes, more than the ${limit} allowed; leave out what it does not use`
}

function describeBuildErrors(error: unknown): string {
  const [first, ...more] = (error as Partial<esbuild.BuildFailure>).errors ?? []
  if (!first) return error instanceof Error ? error.message : String(error)
  const others = more.length > 0 ? ` (and ${more.length} more)` : ''
  return `${placeOf(first)}${first.text}${hintFor(first.text)}${others}`
}

function placeOf({ location }: esbuild.Message): string {
  if (!location || location.file === ENTRY) return ''
  return `${location.file}:${location.line}:${location.column + 1}: `
}

/** What to do about what the bundler says, by its words. */
const hints: readonly [RegExp, string][] = [
  [/^Could not resolve/, 'dependencies must be declared in package.json and be installed'],
  [/for import "default"$/, 'export default definePlugin(…)'],
  [/^(Deferred|Source phase) imports/, 'import modules by a constant name and as a whole'],
  [/^Legacy HTML/, 'write comments as // or /* */'],
  [/^Top-level await/, 'wait in create() of the plugin'],
]

function hintFor(text: string): string {
  const hint = hints.find(([words]) => words.test(text))
  return hint ? `; ${hint[1]}` : ''
}

/** Where, on this machine, a module outside of the package lies: the name of the function that it becomes. */
const PLACE = /(?<=__(?:esm|commonJS)\(\{(?:async )?")(?:\.\.\/|\/)[^"]*\//g

/** The same bytes wherever the site and the package lie, so that a vendor and every site make the same bundle. */
function withoutPlaces(code: string): string {
  return code.replace(PLACE, '')
}

/** Bundles once more with a source map, for the place in the author's own file. */
async function describe(
  finding: Finding,
  request: BundleRequest,
  subject: Subject,
  code: string,
): Promise<string> {
  const {
    map,
    raw,
    code: again,
  } = await bundle(request, subject, {
    inputs: new Map(),
    mapped: true,
  })
  const inRaw = checkCode(raw)
  const { line, column } = placeIn(code, finding)
  const mapped = again === code && 'finding' in inRaw ? placeIn(raw, inRaw.finding) : undefined
  const entry = mapped && originOf(map, mapped.line - 1, mapped.column)
  return `${entry ?? `bundle:${line}:${column + 1}`}: ${finding.construct} is not allowed in a plugin; ${finding.remedy}`
}

/** @returns line from 1, column from 0 */
function placeIn(code: string, { offset }: Finding): { line: number; column: number } {
  const before = code.slice(0, offset).split('\n')
  return { line: before.length, column: before.at(-1)?.length ?? 0 }
}

function originOf(map: string, line: number, column: number): string | undefined {
  const entry = new SourceMap(JSON.parse(map) as SourceMapPayload).findEntry(line, column)
  if (!('originalSource' in entry)) return undefined
  return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
}

function refusal(subject: Subject, problem: string, cause?: unknown): FogbowError {
  return new FogbowError('configuration_error', `Package '${subject.id}': ${problem}`, { cause })
}
