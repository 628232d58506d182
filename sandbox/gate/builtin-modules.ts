import { readFile } from 'node:fs/promises'
import { builtinModules as names } from 'node:module'
import { isAbsolute } from 'node:path'
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild'
import { isInside } from './confined-files.ts'

const NAMESPACE = 'node-builtin'

/** Written out in `builtins/`: what packages need at load time already, or can have without a host. */
const substitutes = new Set(['assert', 'events', 'stream', 'unavailable', 'util'])

/** Members that a sandbox has under a global name; everything else of a built-in module throws when used. */
const members: Record<string, string> = {
  buffer: '{ Buffer: globalThis.Buffer, Blob: globalThis.Blob, atob, btoa }',
  crypto:
    '{ webcrypto: globalThis.crypto, subtle: globalThis.crypto?.subtle, ' +
    'randomUUID: () => globalThis.crypto.randomUUID(), ' +
    'getRandomValues: (array) => globalThis.crypto.getRandomValues(array) }',
  perf_hooks: '{ performance: globalThis.performance }',
  process: 'globalThis.process',
  timers: '{ setTimeout, clearTimeout, setInterval, clearInterval }',
  url: '{ URL: globalThis.URL, URLSearchParams: globalThis.URLSearchParams }',
}

/** Replaces Node's built-in modules, unless the package brings one of that name along (`events`, `buffer`, …). */
export function builtinModules(roots: readonly string[]): Plugin {
  return {
    name: 'builtin-modules',
    setup(build) {
      build.onResolve({ filter: builtinName, namespace: 'file' }, (args) =>
        resolveBuiltin(build, args, roots),
      )
      build.onResolve({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
        path: path.replace(/^\.\//, '').replace(/\.cjs$/, ''),
        namespace: NAMESPACE,
      }))
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, async ({ path }) => ({
        contents: await sourceOf(path),
        loader: 'js',
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
  const stub = { path: path.replace(/^node:/, ''), namespace: NAMESPACE }
  if (path.startsWith('node:')) return stub
  const options = { kind, importer, resolveDir, pluginData: NAMESPACE }
  const found = await build.resolve(path, options)
  if (found.errors.length > 0) return stub
  // The package's `browser` field switched it off; then nothing but the name is answered.
  if (!isAbsolute(found.path)) return { path: 'disabled', namespace: NAMESPACE }
  return isInside(found.path, roots) ? { path: found.path } : stub
}

async function sourceOf(name: string): Promise<string> {
  if (name === 'disabled') return 'module.exports = {}'
  if (substitutes.has(name)) {
    return readFile(new URL(`./builtins/${name}.cjs`, import.meta.url), 'utf8')
  }
  if (name === 'process') return `module.exports = ${members.process}`
  return `module.exports = require('./unavailable.cjs')(${JSON.stringify(name)}, ${members[name] ?? '{}'})`
}
