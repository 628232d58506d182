import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import type { Client } from '../support/client.ts'
import { type SiteOptions, SiteProcess, siteConfig } from '../support/site-process.ts'

const cli = join(import.meta.dirname, '../../../core/cli/bin.mjs')
const PASSWORD = 'a-password-of-a-user'

/** A site for the tests of one file, with an administrator who is logged in. */
export interface RunningSite {
  process: SiteProcess
  admin: Client
  /** Adds a user as the administrator of the machine does, and logs in. */
  user(name: string, roles?: readonly string[]): Promise<Client>
  /** Ends the process between two instructions and starts another one on the same data; tokens stay good. */
  killAndRestart(): Promise<void>
}

/**
 * Starts a site before the first test of the file and ends it after the last; filled in when tests run.
 * @param prepare - what else the tests need, once the site runs
 */
export function runSite(
  options: SiteOptions = { config: siteConfig() },
  prepare?: (site: RunningSite) => Promise<void>,
): RunningSite {
  const running = { user, killAndRestart } as RunningSite
  let folder: string | undefined
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fogbow-site-'))
    running.process = await SiteProcess.start({ ...options, folder })
    running.admin = await running.process.admin()
    await prepare?.(running)
  })
  after(async () => {
    await running.process?.stop()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })
  return running

  async function killAndRestart(): Promise<void> {
    await running.process.kill()
    running.process = await SiteProcess.start({ ...options, folder: running.process.folder })
    const { token } = running.admin
    running.admin = running.process.client()
    running.admin.token = token
  }

  async function user(name: string, roles: readonly string[] = []): Promise<Client> {
    addUser(running.process, name, roles)
    const client = running.process.client()
    await client.login(name, PASSWORD)
    return client
  }
}

/** The plugins of `siteConfig()`, for sites that have others beside them. */
export function plugins(): Record<string, { package: string; config?: object }> {
  const text = siteConfig().slice('export default '.length)
  return (JSON.parse(text) as { plugins: Record<string, { package: string }> }).plugins
}

export function addUser(site: SiteProcess, name: string, roles: readonly string[]): void {
  const options = roles.flatMap((role) => ['--role', role])
  const dataDir = join(site.folder, 'data')
  execFileSync(
    process.execPath,
    [cli, 'user', 'add', name, '--password-stdin', '--data-dir', dataDir, ...options],
    { input: PASSWORD, stdio: ['pipe', 'ignore', 'inherit'] },
  )
}

/** What can be ordered for nothing but itself; other kinds refer to these. */
export const requests = {
  compute: { name: 'worker', imageId: 'debian-12', vCPU: 1, ram: 512, disk: 3 },
  volume: { name: 'disk', size: 2 },
  network: { name: 'net', cidr: '10.20.0.0/24', gateway: '10.20.0.1' },
} as const

/** One instance of every kind, all READY. */
export interface World {
  compute: string
  volume: string
  network: string
  attachment: string
  publicIp: string
}

export async function createWorld(client: Client, base = '/ras'): Promise<World> {
  const ready = async (path: string, body: unknown) => {
    const id = await client.create(`${base}/${path}`, body)
    await client.until(`${base}/${path}/${id}`, 'READY')
    return id
  }
  const [compute, volume, network] = await Promise.all([
    ready('computes', requests.compute),
    ready('volumes', requests.volume),
    ready('networks', requests.network),
  ])
  const [attachment, publicIp] = await Promise.all([
    ready('attachments', { computeId: compute, volumeId: volume }),
    ready('publicIps', { computeId: compute }),
  ])
  return { compute, volume, network, attachment, publicIp }
}

const paths = ['attachments', 'publicIps', 'computes', 'volumes', 'networks'] as const

const POLL_MS = 20
const PATIENCE_MS = 30_000

/** Deletes everything that a user has and waits until it is gone. */
export async function clear(client: Client): Promise<void> {
  for (const path of paths) {
    const ids = await listed(client, path)
    await Promise.all(ids.map((id) => client.delete(`/ras/${path}/${id}`)))
    const giveUpAt = Date.now() + PATIENCE_MS
    for (let left = ids; left.length > 0; left = await listed(client, path)) {
      if (Date.now() > giveUpAt) throw new Error(`${path} do not go away: ${left.join(', ')}`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
}

async function listed(client: Client, path: string): Promise<string[]> {
  const { body } = await client.get(`/ras/${path}/status`)
  return (body as { instanceId: string }[]).map((entry) => entry.instanceId)
}

/** Ids of everything that a user has, of every kind. */
export async function ordersOf(client: Client): Promise<string[]> {
  const lists = await Promise.all(paths.map((path) => listed(client, path)))
  return lists.flat().sort()
}
