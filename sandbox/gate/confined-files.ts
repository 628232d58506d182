import { constants } from 'node:fs'
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises'
import { extname, sep } from 'node:path'
import type { Loader, Plugin } from 'esbuild'

/** A file that went into a bundle, as it was when it was read. */
export interface BundleInput {
  path: string
  /** bytes */
  size: number
  mtimeMs: number
}

interface Confinement {
  /** Folders whose files may be read. */
  roots: readonly string[]
  /** Further folders, whose files belong to the gate itself. */
  own: readonly string[]
  /** Receives every file read, but for those of the gate. */
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

/**
 * Lets nothing but code and JSON inside the given folders into a bundle, wherever links point to. The bundler never
 * opens a file itself: it would look into archives, follow links and read again what was checked before.
 */
export function confinedFiles({ roots, own, inputs, withoutMaps }: Confinement): Plugin {
  let bytes = 0
  return {
    name: 'confined-files',
    setup(build) {
      build.onResolve({ filter: /^((https?|file):)?\/\// }, ({ path }) => ({
        errors: [{ text: `"${path}" is an address; plugins contain all their code` }],
      }))
      build.onResolve({ filter: /^data:/i }, () => ({
        errors: [{ text: 'data: addresses cannot be imported; plugins contain all their code' }],
      }))
      build.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path, with: attributes }) => {
        const kind = kindOf(path, attributes)
        if (typeof kind === 'object') return { errors: [{ text: kind.problem }] }
        const read = await readConfined(path, [...roots, ...own])
        if ('problem' in read) return { errors: [{ text: read.problem }] }
        if (!isInside(read.input.path, own)) inputs.set(read.input.path, read.input)
        bytes += read.input.size
        const problem = overrun(inputs.size, bytes)
        if (problem) return { errors: [{ text: problem }] }
        return { contents: withoutMaps ? blind(read.contents) : read.contents, loader: kind }
      })
    },
  }
}

export function isInside(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path === root || path.startsWith(root + sep))
}

interface Problem {
  problem: string
}

function kindOf(path: string, attributes: Record<string, string>): Loader | Problem {
  const extension = extname(path)
  if (extension === '.node') {
    return { problem: `${path} is a native addon; plugins are JavaScript only` }
  }
  const loader = loaders[extension]
  if (!loader) return { problem: `${path}: only .ts, .js and .json files can be imported` }
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'type' && value === 'json' && loader === 'json') continue
    return { problem: `${path}: import attribute ${name}: '${value}' is not supported` }
  }
  return loader
}

/**
 * Opens first and asks then where the opened file lies, so that what was checked is what is read, even when links
 * change meanwhile.
 */
export async function readConfined(
  path: string,
  roots: readonly string[],
): Promise<{ input: BundleInput; contents: Buffer } | Problem> {
  // A pipe would keep whoever opens it waiting.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
  const file = await open(path, flags).catch(() => undefined)
  if (!file) return { problem: `${path} cannot be read` }
  try {
    const real = await pathOf(file, path)
    if (!real) return { problem: `${path} changes while it is read` }
    if (!isInside(real, roots)) {
      return { problem: `${real} lies outside the package and its declared dependencies` }
    }
    const found = await file.stat()
    if (!found.isFile()) return { problem: `${real} is not a file` }
    if (found.size > MAX_BYTES) return { problem: `${real} has more than ${MAX_BYTES} bytes` }
    const contents = await file.readFile()
    return { input: { path: real, size: contents.length, mtimeMs: found.mtimeMs }, contents }
  } finally {
    await file.close()
  }
}

async function pathOf(file: FileHandle, path: string): Promise<string | undefined> {
  const known = await readlink(`/proc/self/fd/${file.fd}`).catch(() => undefined)
  if (known) return known
  // No Linux: the name that the file has now must lead to the very file that is open.
  const real = await realpath(path)
  const [opened, there] = await Promise.all([file.stat(), stat(real)])
  return opened.ino === there.ino && opened.dev === there.dev ? real : undefined
}

function overrun(files: number, bytes: number): string | undefined {
  if (files > MAX_FILES) return `more than ${MAX_FILES} files would be bundled`
  if (bytes > MAX_BYTES) return `more than ${MAX_BYTES} bytes would be bundled`
  return undefined
}

function blind(contents: Buffer): string {
  return contents.toString('utf8').replaceAll('sourceMappingURL', 'sourceMapping___')
}
