import { dirname, isAbsolute, join, relative, sep } from 'node:path'
import type { Plugin } from 'esbuild'
import { readConfined } from './confined-files.ts'

const NAMESPACE = 'switched-off'

/** A folder with a package.json, and what its `browser` field maps to nothing. */
interface PackageScope {
  folder: string
  off: ReadonlySet<string>
}

/**
 * Packages switch off modules with `"browser": {"./node-only.js": false}`. The bundler marks these where no plugin of it
 * sees the mark, and leaves them empty only if it opens the files itself; so they are found here.
 */
export function switchedOff(roots: readonly string[]): Plugin {
  return {
    name: 'switched-off',
    setup(build) {
      const scopeOf = packageScopes(roots)
      build.onResolve({ filter: /.*/, namespace: 'file' }, async (args) => {
        if (args.pluginData === NAMESPACE || args.kind === 'entry-point') return undefined
        const { off } = await scopeOf(args.resolveDir)
        if (off.has(args.path)) return { path: args.path, namespace: NAMESPACE }
        if (!isPath(args.path) || off.size === 0) return undefined
        const { kind, importer, resolveDir } = args
        const options = { kind, importer, resolveDir, pluginData: NAMESPACE }
        const { path } = await build.resolve(args.path, options)
        if (!isAbsolute(path) || !namesOff(path, await scopeOf(dirname(path)))) return undefined
        return { path, namespace: NAMESPACE }
      })
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, () => ({
        contents: 'module.exports = {}',
      }))
    },
  }
}

function isPath(specifier: string): boolean {
  return specifier.startsWith('.') || isAbsolute(specifier)
}

function namesOff(path: string, { folder, off }: PackageScope): boolean {
  const wanted = stem(relative(folder, path).replaceAll(sep, '/'))
  return [...off].some((name) => stem(name) === wanted)
}

/** Extensions and `index` may be left out on either side. */
function stem(path: string): string {
  return path
    .replace(/^\.\//, '')
    .replace(/\.[cm]?[jt]s$/, '')
    .replace(/\/index$/, '')
}

function packageScopes(roots: readonly string[]): (folder: string) => Promise<PackageScope> {
  const known = new Map<string, Promise<PackageScope>>()
  async function find(folder: string): Promise<PackageScope> {
    const read = await readConfined(join(folder, 'package.json'), roots)
    if ('contents' in read) return { folder, off: offOf(read.contents.toString('utf8')) }
    const parent = dirname(folder)
    return parent === folder ? { folder, off: new Set() } : scopeOf(parent)
  }
  function scopeOf(folder: string): Promise<PackageScope> {
    const scope = known.get(folder) ?? find(folder)
    known.set(folder, scope)
    return scope
  }
  return scopeOf
}

function offOf(packageJson: string): Set<string> {
  try {
    const { browser } = JSON.parse(packageJson) as { browser?: unknown }
    if (typeof browser !== 'object' || browser === null) return new Set()
    return new Set(Object.entries(browser).flatMap(([key, value]) => (value === false ? key : [])))
  } catch {
    return new Set()
  }
}
