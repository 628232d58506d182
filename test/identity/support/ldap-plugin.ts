import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { type FederationUserToken, FogbowError, sdkVersion } from '@fogbow/plugin-sdk'
import { createFakeHost, type FakeHost } from '@fogbow/plugin-sdk/testing'
import { createRegistry, type Registry } from '@fogbow/registry'
import {
  defaultLimits,
  type HostMethod,
  type Launcher,
  type Sandbox,
  startSandbox,
  workerLauncher,
} from '@fogbow/sandbox'
import { connectBroker } from '../../../core/plugins/brokers/connect.ts'
import { createDialer } from '../../../core/plugins/brokers/dial.ts'
import { toLimits } from '../../../core/plugins/brokers/network-settings.ts'
import { grantedCapabilities } from '../../../core/plugins/grants.ts'
import { SEARCHER_PASSWORD } from './directory.ts'

export const ldapFolder = join(import.meta.dirname, '../../../plugins-official/ldap')

/** The LDAP plugin as it runs at a site. */
export interface LdapPlugin {
  sandbox: Sandbox
  host: FakeHost
  logIn(username: string, password: string): Promise<string>
  /** Logs in and reads whom the token is about. */
  user(username: string, password: string): Promise<FederationUserToken>
}

export interface LdapPlugins {
  start(config: object, host?: FakeHost): Promise<LdapPlugin>
}

/** Bundled and gated once; each start is a sandbox of its own, with a site's broker between it and the directory. */
export async function ldapPlugins(authority: string): Promise<LdapPlugins> {
  const directory = mkdtempSync(join(tmpdir(), 'fogbow-ldap-'))
  const registry = createRegistry({ directory, sdkVersion })
  const launcher = workerLauncher({ cacheDir: join(directory, 'cache') })
  const { name } = await registry.install(ldapFolder)
  const running: Sandbox[] = []
  after(async () => {
    await Promise.all(running.map((sandbox) => sandbox.stop()))
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    async start(config, host = newHost(config)) {
      const sandbox = await startPlugin(registry, launcher, name, host, authority)
      running.push(sandbox)
      const call = (method: string, value: unknown) => sandbox.call(method, [value])
      const logIn = async (username: string, password: string) =>
        (await call('tokenGenerator.createTokenValue', { username, password })) as string
      return {
        sandbox,
        host,
        logIn,
        user: async (username, password) =>
          (await call(
            'federationIdentity.getFederationUserToken',
            await logIn(username, password),
          )) as FederationUserToken,
      }
    },
  }
}

function newHost(config: object): FakeHost {
  return createFakeHost({
    config: config as Record<string, unknown>,
    secrets: { bindPassword: SEARCHER_PASSWORD },
  })
}

async function startPlugin(
  registry: Registry,
  launcher: Launcher,
  name: string,
  host: FakeHost,
  authority: string,
): Promise<Sandbox> {
  const { plugin, bundle } = await registry.load(name)
  const granted = grantedCapabilities(
    name,
    { grants: { network: ['*'], addresses: ['127.0.0.0/8'], storageMiB: 1 } } as never,
    plugin.manifest,
    host.config,
  )
  const limits = toLimits({})
  const dialer = createDialer({
    plugin: name,
    network: granted.network,
    addresses: granted.addresses,
    settings: { noProxy: [], authorities: [authority], dnsServers: [], limits },
    resolver: {
      async lookUp(host) {
        throw new FogbowError('unavailable_provider', `${host} has no address`)
      },
      close() {},
    },
    onTraffic() {},
  })
  return startSandbox(
    {
      name,
      bundle,
      config: host.config,
      kinds: plugin.manifest.kinds,
      limits: defaultLimits,
      host: { ...connectBroker(name, dialer, limits), ...storageAndSecrets(host) },
      onLog: (line) => host.log[line.level](line.message),
    },
    { launcher },
  )
}

function storageAndSecrets({ secrets, storage }: FakeHost): Record<string, HostMethod> {
  return {
    'secrets.get': ([name]) => secrets.get(String(name)),
    'storage.get': async ([key]) => {
      const value = await storage.get(String(key))
      return value === undefined ? [] : [value]
    },
    'storage.set': ([key, value]) => storage.set(String(key), value),
  }
}
