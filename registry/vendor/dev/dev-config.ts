import { contracts, type PluginManifest, resources } from '@fogbow/plugin-sdk'
import type { ConformanceFile } from '../conformance/plugin-package.ts'

/** Plugins of a complete site, beside the one that is being written. */
export const companions = [
  '@fogbow/plugin-local-identity',
  '@fogbow/plugin-role-authorization',
  '@fogbow/plugin-single-account',
  '@fogbow/plugin-emulated-cloud',
] as const
type Companion = (typeof companions)[number]

export interface DevConfigOptions {
  /** Absolute folder of the plugin. */
  folder: string
  manifest: PluginManifest
  conformance: ConformanceFile
  /** Absolute folder of each companion. */
  installed: Readonly<Record<Companion, string>>
  /** Secret → absolute file that holds it. */
  secretFiles: Readonly<Record<string, string>>
}

export const DEV_SITE = 'dev.local'
/** Name of the plugin that is being written, at the site. */
export const DEV_PLUGIN = 'plugin'

const cloudKinds = Object.keys(resources).filter((kind) => Object.hasOwn(contracts, kind))
/** A service beside the plugin is at this machine, or close to it. */
const nearby = ['127.0.0.0/8', '::1/128', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']

/** Configuration of a site where the plugin serves what it offers, and official plugins the rest. */
export function devConfig(options: DevConfigOptions): Record<string, unknown> {
  const { manifest, installed } = options
  const offers = (kind: string) => manifest.kinds.includes(kind)
  const inAaa = (kind: string, other: string) => (offers(kind) ? DEV_PLUGIN : other)
  return {
    site: { id: DEV_SITE },
    log: { level: 'warn' },
    plugins: {
      identity: {
        package: installed['@fogbow/plugin-local-identity'],
        config: { issuer: DEV_SITE },
        secrets: { users: 'file:{dataDir}/users.json' },
      },
      roles: {
        package: installed['@fogbow/plugin-role-authorization'],
        config: { site: DEV_SITE },
      },
      account: {
        package: installed['@fogbow/plugin-single-account'],
        config: { account: accountOf(options), withoutCredentials: true },
      },
      emulated: { package: installed['@fogbow/plugin-emulated-cloud'] },
      [DEV_PLUGIN]: entryOf(options),
    },
    aaa: {
      tokenGenerator: inAaa('tokenGenerator', 'identity'),
      federationIdentity: inAaa('federationIdentity', 'identity'),
      authentication: inAaa('authentication', 'identity'),
      authorization: inAaa('authorization', 'roles'),
    },
    clouds: { dev: cloudOf(offers) },
    ...(offers('placement') && { placement: { plugin: DEV_PLUGIN } }),
  }
}

function entryOf({ folder, manifest, conformance, secretFiles }: DevConfigOptions) {
  const secrets = Object.entries(secretFiles).map(([name, file]) => [name, `file:${file}`])
  const asksForNetwork = (manifest.capabilities?.network ?? []).length > 0
  return {
    package: folder,
    config: conformance.sandbox?.config ?? conformance.config ?? {},
    secrets: Object.fromEntries(secrets),
    ...(asksForNetwork && { grants: { network: ['*'], addresses: nearby } }),
  }
}

/** Kinds that the plugin has not are served by an emulated cloud, so that they can be ordered all the same. */
function cloudOf(offers: (kind: string) => boolean): Record<string, unknown> {
  const mapper = offers('federationToLocalMapper') ? DEV_PLUGIN : 'account'
  const own = cloudKinds.filter(offers)
  if (own.length === 0) return { plugin: 'emulated', mapper }
  const others = cloudKinds.filter((kind) => !offers(kind)).map((kind) => [kind, 'emulated'])
  return { plugin: DEV_PLUGIN, mapper, kinds: Object.fromEntries(others) }
}

/** The credential that the plugin is tested with, as far as settings can hold it. */
function accountOf({ conformance }: DevConfigOptions): Record<string, unknown> {
  return { project: 'demo', ...conformance.samples?.localToken }
}
