import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BuildOptions, Plugin } from 'esbuild'

/** Everything that runs inside a guest beside the plugin, as texts: the guest itself can read no file. */
export interface GuestProgram {
  /** A function of `require`, in parentheses. */
  readonly supervisor: string
  readonly prelude: string
  /** Compiled form of `supervisor` by the same Node, when there is one. */
  readonly compiled: Uint8Array | undefined
  /** Keeps the compiled form that a first guest made. */
  keepCompiled(compiled: Uint8Array): void
}

const guestFolder = fileURLToPath(new URL('../guest/', import.meta.url))
const rpcFolder = fileURLToPath(new URL('../rpc/', import.meta.url))
const sdkEntry = fileURLToPath(import.meta.resolve('@fogbow/plugin-sdk'))

/**
 * Bundles the guest, or takes it from `cacheDir` when an earlier run has done so from the same sources with the same
 * Node. A cache that cannot be read or written is done without.
 */
export async function loadGuestProgram(cacheDir?: string): Promise<GuestProgram> {
  const folder = cacheDir && join(cacheDir, `guest-${await sourcesHash()}`)
  const texts = (folder && (await readTexts(folder))) || (await bundle())
  if (folder) await keep(folder, { 'supervisor.js': texts.supervisor, 'prelude.js': texts.prelude })
  let compiled = folder
    ? await readFile(join(folder, 'supervisor.bin')).catch(() => undefined)
    : undefined
  return {
    ...texts,
    get compiled() {
      return compiled
    },
    keepCompiled(made) {
      compiled = Buffer.from(made)
      if (folder) void keep(folder, { 'supervisor.bin': compiled })
    },
  }
}

interface Texts {
  supervisor: string
  prelude: string
}

async function readTexts(folder: string): Promise<Texts | undefined> {
  try {
    const [supervisor, prelude] = await Promise.all(
      ['supervisor.js', 'prelude.js'].map((name) => readFile(join(folder, name), 'utf8')),
    )
    return supervisor && prelude ? { supervisor, prelude } : undefined
  } catch {
    return undefined
  }
}

/** Written beside and renamed, so that nobody reads half a file. */
async function keep(folder: string, files: Record<string, string | Uint8Array>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    for (const [name, content] of Object.entries(files)) {
      const temporary = join(folder, `${name}.${process.pid}.${performance.now()}`)
      await writeFile(temporary, content, { mode: 0o600 })
      await rename(temporary, join(folder, name))
    }
  } catch {
    // Without a cache the next start takes longer, nothing else.
  }
}

/** Changes with every source of the guest and with everything that its compiled form depends on. */
async function sourcesHash(): Promise<string> {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([process.versions, process.arch, process.execArgv]))
  const sesPackage = fileURLToPath(import.meta.resolve('ses/package.json'))
  const files = [sesPackage, join(dirname(sdkEntry), 'errors.ts'), fileURLToPath(import.meta.url)]
  for (const folder of [guestFolder, rpcFolder]) {
    const names = await readdir(folder, { recursive: true })
    files.push(
      ...names
        .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
        .sort()
        .map((name) => join(folder, name)),
    )
  }
  for (const text of await Promise.all(files.map((file) => readFile(file))))
    hash.update(text).update('\0')
  return hash.digest('hex').slice(0, 32)
}

async function bundle(): Promise<Texts> {
  const [supervisor, prelude] = await Promise.all([
    bundleOne({
      entryPoints: [join(guestFolder, 'worker.ts')],
      format: 'cjs',
      platform: 'node',
      minifyWhitespace: true,
    }),
    bundleOne({
      entryPoints: [join(guestFolder, 'prelude/index.ts')],
      format: 'iife',
      globalName: 'prelude',
      platform: 'neutral',
    }),
  ])
  const wrapped = `(function (require) { 'use strict'; const module = { exports: {} };${supervisor}\nreturn module.exports })`
  return { supervisor: wrapped, prelude }
}

async function bundleOne(options: BuildOptions): Promise<string> {
  // Needed only when there is no cache, and slow to load.
  const { build } = await import('esbuild')
  const result = await build({
    ...options,
    bundle: true,
    write: false,
    target: 'es2024',
    legalComments: 'none',
    plugins: [sdkModule],
  })
  return result.outputFiles?.[0]?.text ?? ''
}

/** Of the SDK the guest needs its errors; everything else is left out. */
const sdkModule: Plugin = {
  name: 'sdk-module',
  setup(build) {
    build.onResolve({ filter: /^@fogbow\/plugin-sdk$/ }, () => ({
      path: sdkEntry,
      sideEffects: false,
    }))
  },
}
