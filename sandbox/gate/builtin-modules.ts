import { readFileSync, realpathSync } from 'node:fs'
import { createRequire, builtinModules as names } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild'
import { isInside } from './confined-files.ts'

const NAMESPACE = 'node-builtin'
const folder = fileURLToPath(new URL('./builtins', import.meta.url))

/** Written out in `builtins/`: what packages need at load time already, or can have in a sandbox. */
const substitutes: Record<string, string> = {
  assert: 'assert.cjs',
  'assert/strict': 'assert.cjs',
  buffer: 'buffer.cjs',
  crypto: 'crypto.cjs',
  events: 'events.cjs',
  http: 'http.cjs',
  https: 'https.cjs',
  net: 'net.cjs',
  os: 'os.cjs',
  path: 'path.cjs',
  'path/posix': 'path.cjs',
  process: 'process.cjs',
  querystring: 'querystring.cjs',
  stream: 'stream.cjs',
  'stream/promises': 'stream-promises.cjs',
  string_decoder: 'string-decoder.cjs',
  timers: 'timers.cjs',
  tls: 'tls.cjs',
  url: 'url.cjs',
  util: 'util.cjs',
}

/** Too small for a file of their own. */
const expressions: Record<string, string> = {
  perf_hooks: '{ performance: globalThis.performance }',
  'stream/web':
    '{ ReadableStream: globalThis.ReadableStream, WritableStream: globalThis.WritableStream, ' +
    'TransformStream: globalThis.TransformStream }',
  'timers/promises': 'require("./timers.cjs").promises',
  'util/types': 'require("./util.cjs").types',
}

/** Injected where a module names `Buffer` as a global. */
export const globalBuffer = join(folder, 'global-buffer.mjs')

/** Packages that the substitutes build on. */
const packages = ['buffer', 'events', 'path-browserify', 'readable-stream', 'string_decoder']

/** Folders that the substitutes are made of. */
export function substituteFolders(): string[] {
  const folders = new Set([realpathSync(folder)])
  addPackages(packages, import.meta.url, folders)
  return [...folders]
}

/** With everything that the packages use themselves. */
function addPackages(names: readonly string[], importer: string, folders: Set<string>): void {
  for (const name of names) {
    const description = realpathSync(createRequire(importer).resolve(`${name}/package.json`))
    if (folders.has(dirname(description))) continue
    folders.add(dirname(description))
    const { dependencies = {} } = JSON.parse(readFileSync(description, 'utf8')) as {
      dependencies?: Record<string, string>
    }
    addPackages(Object.keys(dependencies), description, folders)
  }
}

/** Replaces Node's built-in modules, unless the package brings one of that name along (`events`, `buffer`, …). */
export function builtinModules(roots: readonly string[]): Plugin {
  return {
    name: 'builtin-modules',
    setup(build) {
      build.onResolve({ filter: builtinName }, (args) => resolveBuiltin(build, args, roots))
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
        contents: `module.exports = ${expressionFor(path)}`,
        resolveDir: folder,
      }))
    },
  }
}

const builtinName = new RegExp(
  `^(node:.*|${names.filter((name) => !name.startsWith('node:')).join('|')})$`,
)

async function resolveBuiltin(
  build: PluginBuild,
  { path, kind, importer, resolveDir, pluginData }: OnResolveArgs,
  roots: readonly string[],
): Promise<OnResolveResult | undefined> {
  if (pluginData === NAMESPACE) return undefined
  const name = path.replace(/^node:/, '')
  const file = Object.hasOwn(substitutes, name) ? substitutes[name] : undefined
  const stub = file
    ? { path: join(folder, file), sideEffects: false }
    : { path: name, namespace: NAMESPACE, sideEffects: false }
  if (path.startsWith('node:')) return stub
  const options = { kind, importer, resolveDir, pluginData: NAMESPACE }
  const found = await build.resolve(path, options)
  return isAbsolute(found.path) && isInside(found.path, roots) ? { path: found.path } : stub
}

function expressionFor(name: string): string {
  const members = Object.hasOwn(expressions, name) ? expressions[name] : undefined
  return members?.startsWith('require(')
    ? members
    : `require('./unavailable.cjs')(${JSON.stringify(name)}, ${members ?? '{}'})`
}
