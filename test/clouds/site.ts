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
  orders?: Record<string, number>
  /** Orders that the site works on at once in this cloud. */
  concurrency?: number
  /** Further clouds of this site, each driven by a plugin of its own. */
  others?: Record<string, OtherCloud>
}

export interface OtherCloud {
  plugin: Record<string, unknown>
  /** Text of the secret; that of the first cloud when absent. */
  accounts?: string
}

export async function startCloudSite(
  cloud: OpenStack,
  { plugin = {}, orders = {}, concurrency = 16, others = {} }: CloudSiteOptions = {},
): Promise<CloudSite> {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-cloud-site-'))
  const driven = Object.entries<OtherCloud>({ lab: { plugin }, ...others }).map(
    ([name, { plugin, accounts }]) => {
      const secret = join(folder, `${name}.json`)
      writeFileSync(secret, accounts ?? accountsSecret(cloud), {
        mode: 0o600,
      })
      return [name, pluginSection(cloud, plugin, secret)] as const
    },
  )
  const cloudOf = (name: string) => ({ plugin: name, mapper: name, concurrency })
  const config = siteConfig({
    site: {
      plugins: { ...plugins(), ...Object.fromEntries(driven) },
      clouds: Object.fromEntries(driven.map(([name]) => [name, cloudOf(name)])),
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

function pluginSection(cloud: OpenStack, config: Record<string, unknown>, secret: string) {
  return {
    package: join(import.meta.dirname, '../../plugins-official/openstack'),
    config: { ...pluginConfig(cloud), mapper: { fallback: 'demo' }, ...config },
    secrets: { accounts: `file:${secret}` },
    grants: { network: ['*'] },
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
