import { realpathSync } from 'node:fs'
import { isAbsolute, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'

interface SdkFix {
  /** Package whose file is replaced, or that is replaced as a whole. */
  package: string
  /** File of it; absent for all of it. */
  file?: string
  /** Another file of the package, or one of `builtins/` for a whole package. */
  replacement: string
  reason: string
}

/** What makes packages run that take a sandbox for something else. Everything not listed is bundled as it is. */
export const sdkFixes: readonly SdkFix[] = [
  {
    package: '@aws-sdk/xml-builder',
    file: 'dist-es/xml-parser.browser.js',
    replacement: 'dist-es/xml-parser.js',
    reason: 'the build for browsers parses XML with DOMParser, which only pages have',
  },
  {
    package: 'node-fetch',
    replacement: 'node-fetch.cjs',
    reason: 'speaks HTTP over sockets of Node; gaxios takes it wherever there is no window',
  },
]

const NAMESPACE = 'sdk-fix'
const builtinsFolder = realpathSync(fileURLToPath(new URL('./builtins', import.meta.url)))
const wholePackages = sdkFixes.filter(({ file }) => file === undefined)
const files = sdkFixes.filter(({ file }) => file !== undefined)

/** Applies the table: by name of a package, and by the file that an import leads to. */
export function sdkFixPlugin(): Plugin {
  return {
    name: 'sdk-fixes',
    setup(build) {
      for (const { package: name, replacement } of wholePackages) {
        build.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({
          path: join(builtinsFolder, replacement),
          sideEffects: false,
        }))
      }
      build.onResolve({ filter: /^\.{1,2}\// }, async (args) => {
        if (args.pluginData !== undefined || !files.some((fix) => lies(args.importer, fix))) {
          return undefined
        }
        const { kind, importer, resolveDir } = args
        const options = { kind, importer, resolveDir, pluginData: NAMESPACE }
        const { path } = await build.resolve(args.path, options)
        const fix = files.find(({ package: name, file = '' }) => endsWith(path, `${name}/${file}`))
        if (!fix || !isAbsolute(path)) return undefined
        return { path: path.slice(0, -(fix.file ?? '').length) + fix.replacement }
      })
    },
  }
}

function lies(path: string, { package: name }: SdkFix): boolean {
  return path.replaceAll(sep, '/').includes(`/node_modules/${name}/`)
}

function endsWith(path: string, ending: string): boolean {
  return path.replaceAll(sep, '/').endsWith(`/node_modules/${ending}`)
}
