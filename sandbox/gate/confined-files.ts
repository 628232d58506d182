import { readFile, realpath, stat } from 'node:fs/promises'
import { extname, sep } from 'node:path'
import type { Loader, OnLoadResult, Plugin } from 'esbuild'

/** A file that went into a bundle, as it was just before it was read. */
export interface BundleInput {
  path: string
  /** bytes */
  size: number
  mtimeMs: number
}

interface Confinement {
  /** Folders whose files may be read. */
  roots: readonly string[]
  /** Receives every file read. */
  inputs: Map<string, BundleInput>
  /** Blinds source map comments: with maps on, the bundler would follow them to any file. */
  withoutMaps: boolean
}

const MAX_FILES = 10_000
const MAX_BYTES = 64 * 1024 * 1024

const loaders: Record<string, Loader> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.json': 'json',
}

/** Lets the bundler read nothing but code and JSON inside the given folders, wherever links point to. */
export function confinedFiles({ roots, inputs, withoutMaps }: Confinement): Plugin {
  let bytes = 0
  return {
    name: 'confined-files',
    setup(build) {
      build.onResolve({ filter: /^(https?:)?\/\// }, ({ path }) => ({
        errors: [{ text: `"${path}" is an address; plugins contain all their code` }],
      }))
      build.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path }) => {
        // What is not there is for the bundler to report, or switched off by a `browser` field.
        const real = await realpath(path).catch(() => undefined)
        if (!real) return undefined
        const input = await admit(path, real, roots)
        if (typeof input === 'string') return { errors: [{ text: input }] }
        inputs.set(input.path, input)
        bytes += input.size
        const problem = overrun(inputs.size, bytes)
        if (problem) return { errors: [{ text: problem }] }
        return withoutMaps ? readWithoutMap(path) : undefined
      })
    },
  }
}

export function isInside(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path === root || path.startsWith(root + sep))
}

/** @returns what is wrong with the file, or the file as it is now */
async function admit(
  path: string,
  real: string,
  roots: readonly string[],
): Promise<BundleInput | string> {
  if (!isInside(real, roots)) {
    return `${real} lies outside the package and its declared dependencies`
  }
  const extension = extname(path)
  if (extension === '.node') return `${real} is a native addon; plugins are JavaScript only`
  if (!(extension in loaders)) return `${real}: only .ts, .js and .json files can be imported`
  const found = await stat(real)
  if (!found.isFile()) return `${real} is not a file`
  return { path: real, size: found.size, mtimeMs: found.mtimeMs }
}

function overrun(files: number, bytes: number): string | undefined {
  if (files > MAX_FILES) return `more than ${MAX_FILES} files would be bundled`
  if (bytes > MAX_BYTES) return `more than ${MAX_BYTES} bytes would be bundled`
  return undefined
}

async function readWithoutMap(path: string): Promise<OnLoadResult> {
  const text = await readFile(path, 'utf8')
  const contents = text.replaceAll('sourceMappingURL', 'sourceMapping___')
  return { contents, loader: loaders[extname(path)] ?? 'js' }
}
