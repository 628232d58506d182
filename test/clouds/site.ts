import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { plugins } from '../system/rest/run-site.ts'
import type { Client } from '../system/support/client.ts'
import { SiteProcess, siteConfig } from '../system/support/site-process.ts'
import type { OpenStack } from './openstack/openstack.ts'
import { accountsSecret, pluginConfig } from './openstack/settings.ts'

/** A site whose one cloud is a real OpenStack. */
export interface CloudSite {
  readonly process: SiteProcess
  readonly admin: Client
  /** Stops the process and starts it again over the same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface CloudSiteOptions {
  /** Changes of the plugin's configuration. */
  plugin?: Record<string, unknown>
  /** Networks of the plugin: what it may reach beside what its configuration says. */
  network?: Record<string, unknown>
  orders?: Record<string, number>
  /** Orders that the site works on at once in this cloud. */
  concurrency?: number
}

export async function startCloudSite(
  cloud: OpenStack,
  { plugin = {}, network = {}, orders = {}, concurrency = 16 }: CloudSiteOptions = {},
): Promise<CloudSite> {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-cloud-site-'))
  const secret = join(folder, 'accounts.json')
  writeFileSync(secret, accountsSecret(cloud), { mode: 0o600 })
  const openstack = {
    package: join(import.meta.dirname, '../../plugins-official/openstack'),
    config: { ...pluginConfig(cloud), mapper: { fallback: 'demo' }, ...plugin },
    secrets: { accounts: `file:${secret}` },
    grants: { network: ['*'] },
    network,
  }
  const config = siteConfig({
    site: {
      plugins: { ...plugins(), openstack },
      clouds: { lab: { plugin: 'openstack', mapper: 'openstack', concurrency } },
      orders,
    },
  })
  const site = { process: await SiteProcess.start({ config, folder }) } as {
    process: SiteProcess
    admin: Client
  }
  site.admin = await site.process.admin()
  return {
    get process() {
      return site.process
    },
    get admin() {
      return site.admin
    },
    async restart() {
      await site.process.kill()
      site.process = await SiteProcess.start({ config, folder })
      site.admin = await site.process.admin()
    },
    async stop() {
      await site.process.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A public key as `ssh-keygen` writes it; the private one is not kept (RFC 8709, section 4). */
export function sshKey(): string {
  const field = (bytes: Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  const key = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(randomBytes(32))])
  return `ssh-ed25519 ${key.toString('base64')} somebody`
}

const POLL_MS = 200
/** Real services on a busy machine take their time. */
const PATIENCE_MS = 300_000

/** Reads an instance until it is in one of the states; `GONE` stands for 404. */
export async function until(
  client: Client,
  path: string,
  ...states: string[]
): Promise<Record<string, unknown>> {
  return eventually(`${path} being ${states.join(' or ')}`, async () => {
    const { status, body } = await client.get(path)
    const instance = (body ?? {}) as Record<string, unknown>
    const state = status === 404 ? 'GONE' : String(instance.state)
    if (states.includes(state)) return { answer: instance }
    if (state === 'ERROR' || state === 'FAILED') throw new Error(`${path}: ${JSON.stringify(body)}`)
    return { problem: JSON.stringify(body) }
  })
}

/** Asks again and again until there is an answer. */
export async function eventually<Answer>(
  what: string,
  ask: () => Promise<{ answer: Answer } | { problem: string }>,
): Promise<Answer> {
  const giveUpAt = performance.now() + PATIENCE_MS
  for (;;) {
    const found = await ask()
    if ('answer' in found) return found.answer
    if (performance.now() > giveUpAt) throw new Error(`${what} did not happen: ${found.problem}`)
    await pause(POLL_MS)
  }
}
