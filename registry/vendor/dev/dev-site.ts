import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { FogbowError } from '@fogbow/plugin-sdk'
import { resolvePackageFolder } from '../../fetch/package-folder.ts'
import { type PluginPackage, readPluginPackage } from '../conformance/plugin-package.ts'
import { companions, devConfig } from './dev-config.ts'
import { createSiteApi } from './site-api.ts'
import { type SiteProcess, startSiteProcess } from './site-process.ts'
import { watchFolder } from './watch-folder.ts'

export interface DevSiteOptions {
  folder: string
  /** 0 takes a free one. */
  port?: number
  /** What happens, a line each. */
  onLine(line: string): void
}

/** A site that runs the plugin of a folder, and takes over what is written there. */
export interface DevSite {
  readonly url: string
  readonly user: 'admin'
  readonly password: string
  /** Resolves when the site ended by itself. */
  readonly ended: Promise<unknown>
  /** Ends site and watch, and removes what they kept. */
  stop(): Promise<void>
}

const ADMIN = 'admin'
const CORE = '@fogbow/core'
/** With one of these being written, nobody can be sure to log in: the site is started anew instead. */
const loginKinds = ['tokenGenerator', 'federationIdentity', 'authentication', 'authorization']

/** @throws configuration_error naming what is missing; unavailable_provider with what the site printed */
export async function startDevSite(options: DevSiteOptions): Promise<DevSite> {
  const { onLine, port = 0 } = options
  const folder = resolve(options.folder)
  const plugin = await readPluginPackage(folder)
  const command = join(await findPackage(CORE, folder), 'cli/bin.mjs')
  const home = await mkdtemp(join(tmpdir(), 'fogbow-dev-'))
  const password = randomBytes(12).toString('base64url')
  const dataDir = join(home, 'data')
  let site: SiteProcess
  const configFile = join(home, 'fogbow.config.json')
  const start = (at: number) =>
    startSiteProcess({ command, configFile, dataDir, port: at, password, onLine })
  try {
    await writeConfig(configFile, plugin)
    site = await start(port)
  } catch (error) {
    await rm(home, { recursive: true, force: true })
    throw error
  }

  const { url } = site
  const login = { url, credentials: { username: ADMIN, password } }
  const needsRestart = plugin.manifest.kinds.some((kind) => loginKinds.includes(kind))
  const api = needsRestart ? undefined : createSiteApi(login)
  let stopping = false
  const ended = Promise.withResolvers<void>()
  const awaitEnd = (one: SiteProcess) =>
    void one.ended.then(() => {
      if (one === site) ended.resolve()
    })
  awaitEnd(site)
  const restart = async () => {
    const before = site
    const { port: same } = new URL(url)
    // From here on its end is not the end of all.
    site = { ...before, ended: Promise.withResolvers<null>().promise }
    await before.stop()
    site = await start(Number(same))
    awaitEnd(site)
  }
  const watch = watchFolder(folder, async () => {
    if (stopping) return
    await reload(onLine, async () => {
      const isSame = await writeConfig(configFile, await readPluginPackage(folder))
      await (api && isSame ? api.install(folder) : restart())
    })
  })
  return {
    url,
    user: ADMIN,
    password,
    ended: ended.promise,
    async stop() {
      stopping = true
      watch.close()
      await site.stop()
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** What cannot be taken over is said, and what ran goes on. */
async function reload(onLine: (line: string) => void, take: () => Promise<void>): Promise<void> {
  const startedAt = performance.now()
  try {
    await take()
    onLine(`reloaded in ${Math.round(performance.now() - startedAt)} ms`)
  } catch (error) {
    onLine(`not reloaded: ${(error as Error).message}`)
  }
}

/** @returns whether it says what it said before */
async function writeConfig(file: string, plugin: PluginPackage): Promise<boolean> {
  const { folder, manifest, conformance } = plugin
  const found = companions.map(async (name) => [name, await findPackage(name, folder)] as const)
  const installed = Object.fromEntries(await Promise.all(found)) as Record<
    (typeof companions)[number],
    string
  >
  const secretFiles = await writeSecrets(dirname(file), plugin)
  const config = devConfig({ folder, manifest, conformance, installed, secretFiles })
  const text = `${JSON.stringify(config, undefined, 2)}\n`
  const before = await readFile(file, 'utf8').catch(() => '')
  if (text !== before) await writeFile(file, text)
  return text === before
}

async function writeSecrets(home: string, plugin: PluginPackage): Promise<Record<string, string>> {
  const { manifest, conformance } = plugin
  const secrets = join(home, 'secrets')
  await mkdir(secrets, { recursive: true, mode: 0o700 })
  const names = manifest.capabilities?.secrets ?? []
  const given = names.filter((name) => conformance.secrets?.[name] !== undefined)
  for (const name of given)
    await writeFile(join(secrets, name), conformance.secrets?.[name] ?? '', { mode: 0o600 })
  return Object.fromEntries(given.map((name) => [name, join(secrets, name)]))
}

/** As the plugin's author has it installed, or as it is installed beside this command. */
async function findPackage(name: string, folder: string): Promise<string> {
  const near = [folder, process.cwd(), dirname(import.meta.dirname)]
  for (const from of near) {
    const found = await resolvePackageFolder(name, from)
    if (found !== undefined) return found
  }
  const problem = `${name} is not installed; run: npm install --save-dev ${name}`
  throw new FogbowError('configuration_error', problem)
}
