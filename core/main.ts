import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { asFogbowError } from '@fogbow/plugin-sdk'
import { installedSettings } from '@fogbow/registry'
import { type ConfigSource, type LoadedConfig, loadConfig } from './config/index.ts'
import { createPassword, openUsersFile, verifyPassword } from './identity/users-file.ts'
import { withSettings } from './marketplace/index.ts'
import { startSite } from './site.ts'
import { createLog } from './telemetry/index.ts'

export interface StartOptions {
  configFile?: string
  port?: number
  dataDir?: string
}

const ADMIN = 'admin'

/** Runs a site until it is told to stop by SIGINT or SIGTERM. Sets the exit code when it cannot start. */
export async function main(options: StartOptions = {}): Promise<void> {
  const source: ConfigSource = {
    env: process.env,
    cwd: process.cwd(),
    ...(options.configFile !== undefined && { file: options.configFile }),
    ...(options.port !== undefined && { port: options.port }),
    ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
    complete: async (written, dataDir) =>
      withSettings(written, await installedSettings(join(dataDir, 'plugins'))),
  }
  try {
    const loaded = await loadConfig(source)
    const log = createLog(loaded.config.log.level, loaded.config.site.id)
    let password: string | undefined
    const site = await startSite(loaded, source, log, async () => {
      password = await prepareAdmin(loaded, source.env)
    })
    announce(site.id, site.url, loaded, password)
    stopOnSignal(site.stop)
  } catch (error) {
    process.stderr.write(`fogbow: ${asFogbowError(error).message}\n`)
    process.exitCode = 1
  }
}

/**
 * A new site gets an administrator, so that somebody can log in; FOGBOW_ADMIN_PASSWORD decides the password, also of a
 * site that exists. Only the hash is kept.
 * @returns the password, when it was made up here and nobody knows it yet
 */
async function prepareAdmin(
  loaded: LoadedConfig,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  await mkdir(loaded.dataDir, { recursive: true, mode: 0o700 })
  const users = openUsersFile(join(loaded.dataDir, 'users.json'))
  const known = await users.list()
  const admin = known.find((user) => user.name === ADMIN)
  const given = env.FOGBOW_ADMIN_PASSWORD
  if (given) {
    if (!admin) await users.add({ name: ADMIN, password: given, roles: [ADMIN] })
    else if (!(await verifyPassword(admin, given))) await users.setPassword(ADMIN, given)
    return undefined
  }
  if (known.length > 0) return undefined
  const password = createPassword()
  await users.add({ name: ADMIN, password, roles: [ADMIN] })
  return password
}

function announce(
  id: string,
  url: string,
  loaded: LoadedConfig,
  password: string | undefined,
): void {
  const lines = [
    `Site ${id} is ready at ${url}`,
    `  configuration  ${loaded.file}`,
    `  data           ${loaded.dataDir}`,
    `  API reference  ${url}/docs`,
  ]
  if (password !== undefined) {
    lines.push(
      `  administrator  ${ADMIN}`,
      `  password       ${password}   (shown this once; change it with: fogbow user passwd ${ADMIN})`,
    )
  }
  process.stderr.write(`${lines.join('\n')}\n`)
}

function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false
  const onSignal = async () => {
    if (stopping) process.exit(1)
    stopping = true
    await stop()
    // No process.exit: what is still in the log's buffer is written first.
    process.exitCode = 0
  }
  process.on('SIGINT', () => void onSignal())
  process.on('SIGTERM', () => void onSignal())
}
