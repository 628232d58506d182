import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { typescriptArguments } from '../typescript-arguments.ts'
import type { BundlingTask, GuestTexts } from './guest-bundle.ts'

/** Names of the entries beside each other in `guest/`. */
export type GuestEntry = 'worker' | 'process'

/** Everything that runs inside a guest beside the plugin, as texts: the guest itself can read no file. */
export interface GuestProgram {
  /** A function of `require` that answers the exports of the entry, in parentheses. */
  readonly supervisor: string
  readonly prelude: string
  /** A library that the prelude asks for when streams are first touched. */
  readonly streams: string
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
export async function loadGuestProgram(
  entry: GuestEntry,
  cacheDir?: string,
): Promise<GuestProgram> {
  const folder = cacheDir && join(cacheDir, `guest-${await sourcesHash()}`)
  const texts = (folder && (await readTexts(folder, entry))) || (await bundle(entry))
  if (folder) {
    const { supervisor, prelude, streams } = texts
    await keep(folder, {
      [`${entry}.js`]: supervisor,
      'prelude.js': prelude,
      'streams.js': streams,
    })
  }
  let compiled = folder
    ? await readFile(join(folder, `${entry}.bin`)).catch(() => undefined)
    : undefined
  return {
    ...texts,
    get compiled() {
      return compiled
    },
    keepCompiled(made) {
      compiled = Buffer.from(made)
      if (folder) void keep(folder, { [`${entry}.bin`]: compiled })
    },
  }
}

async function readTexts(folder: string, entry: GuestEntry): Promise<GuestTexts | undefined> {
  try {
    const [supervisor, prelude, streams] = await Promise.all(
      [`${entry}.js`, 'prelude.js', 'streams.js'].map((name) =>
        readFile(join(folder, name), 'utf8'),
      ),
    )
    return supervisor && prelude && streams ? { supervisor, prelude, streams } : undefined
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
  const packages = ['ses', 'web-streams-polyfill'].map((name) =>
    fileURLToPath(import.meta.resolve(`${name}/package.json`)),
  )
  const files = [...packages, join(dirname(sdkEntry), 'errors.ts'), fileURLToPath(import.meta.url)]
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

/** In a thread of its own: the bundler is a process that would otherwise stay for as long as the site. */
async function bundle(entry: GuestEntry): Promise<GuestTexts> {
  const task: BundlingTask = {
    supervisor: join(guestFolder, `${entry}.ts`),
    prelude: join(guestFolder, 'prelude/index.ts'),
    streams: createRequire(import.meta.url).resolve('web-streams-polyfill'),
    sdk: sdkEntry,
  }
  const options = { workerData: task, execArgv: typescriptArguments() }
  const thread = new Worker(new URL('./guest-bundle.ts', import.meta.url), options)
  try {
    const [texts] = await once(thread, 'message')
    return texts as GuestTexts
  } finally {
    await thread.terminate()
  }
}
