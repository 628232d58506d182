import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { sdkVersion } from '@fogbow/plugin-sdk'
import {
  createMarketplace,
  createPackageRegistries,
  type Marketplace,
  type RegistryAccesses,
  readNpmrc,
  type SettingsByInstance,
} from '@fogbow/registry'
import { catalogueType, createCatalogues, createFinder } from '@fogbow/registry/find'
import {
  createJudge,
  createMemberVetting,
  createProvenanceReader,
  createRevocations,
  createSignedSources,
  type MemberVetting,
  type Revocations,
  readKey,
  readPolicy,
  readRegistryKey,
  revocationListType,
  type SignedSource,
} from '@fogbow/registry/trust'
import type { VendorSchemas } from '@fogbow/sandbox/gate'
import type { Logger } from 'pino'
import { type LoadedConfig, resolveReference, type SiteConfig } from '../config/index.ts'

type MarketplaceConfig = SiteConfig['marketplace']

export interface MarketplaceParts {
  /** The configuration in force; policy, lists and catalogues follow it. */
  loaded(): LoadedConfig
  schemas: Pick<VendorSchemas, 'check' | 'complete'>
  readSecret(reference: string, key: string): Promise<string>
  /** Folder of the plugins that come with the site. */
  officialFolder: string
  /** Plugin instances as the configuration file has them, by names of packages. */
  configured(): Promise<SettingsByInstance>
  env: NodeJS.ProcessEnv
  clock: { now(): number }
  log: Logger
}

/** The marketplace by the configuration of a site, whether the site runs or not. */
export interface OpenMarketplace {
  marketplace: Marketplace
  revocations: Revocations
  vetting: MemberVetting
  /**
   * Reads addresses and tokens of the registries of a configuration.
   * @returns makes them the ones that are asked from now on
   * @throws configuration_error when a token cannot be read
   */
  prepareRegistries(next: LoadedConfig): Promise<() => void>
}

/** @throws configuration_error naming the key; a policy that cannot be understood is told here, and not when it is needed */
export async function openMarketplace(parts: MarketplaceParts): Promise<OpenMarketplace> {
  const { clock, schemas, officialFolder, configured } = parts
  const config = () => parts.loaded().config.marketplace
  const directory = join(parts.loaded().dataDir, 'plugins')
  readPolicy(config().policy)
  registryKeysOf(config())
  const documents = createSignedSources({ folder: join(directory, 'documents'), clock })
  const lists = () => sourcesOf(config().revocations.lists, 'revocations.lists', revocationListType)
  const catalogues = () => sourcesOf(config().catalogues, 'catalogues', catalogueType)
  for (const read of [lists, catalogues]) read()
  const revocations = createRevocations({
    folder: join(directory, 'revocations'),
    documents,
    lists,
    believed: () => config().revocations.members,
    clock,
  })
  const vetting = createMemberVetting(
    join(directory, 'members'),
    () => config().revocations.members,
  )
  let registries = await readRegistries(parts.loaded(), parts)
  const npm = await readNpmrc(parts.env)
  const judge = createJudge({
    policy: () => readPolicy(config().policy),
    siteId: parts.loaded().config.site.id,
    provenance: createProvenanceReader(trustRootReader(parts)),
    registryKeys: (registry) => registryKeysOf(config())[registry] ?? [],
    revocations: revocations.heeded,
    evidenceFor: async (candidate) => ({
      ...(await find.evidenceFor(candidate)),
      members: await vetting.of(candidate),
      resembles: candidate.isBundled ? undefined : await find.resembled(candidate.name),
    }),
    clock,
  })
  const find = createFinder({
    sdkVersion,
    registries: createPackageRegistries(
      { cache: join(directory, 'cache'), ...npm },
      () => registries,
    ),
    catalogues: createCatalogues(catalogues, documents),
    installed: async () =>
      new Map((await marketplace.current()).plugins.map(({ name, version }) => [name, version])),
    wellKnown: await officialNames(officialFolder),
  })
  const marketplace = createMarketplace({
    directory,
    sdkVersion,
    npm,
    schemas,
    judge,
    find,
    registries: () => registries,
    advisories: find.advisories,
    revocations: async () => (await revocations.heeded()).heeded,
    refresh: async () => [...(await revocations.refresh()), ...(await find.refresh())],
    configured,
    officialFolder,
    keepGenerations: config().keepGenerations,
    log: {
      info: (message, fields) => parts.log.info(fields ?? {}, message),
      warn: (message, fields) => parts.log.warn(fields ?? {}, message),
    },
    clock,
  })
  return {
    marketplace,
    revocations,
    vetting,
    async prepareRegistries(next) {
      const read = await readRegistries(next, parts)
      return () => {
        registries = read
      }
    },
  }

  function sourcesOf(
    written: MarketplaceConfig['catalogues'],
    key: string,
    type: string,
  ): SignedSource[] {
    return Object.entries(written).map(([name, { place, keys }]) => ({
      name,
      type,
      place: /^https?:/.test(place) ? place : resolve(parts.loaded().folder, place),
      keys: keys.map((text, index) => readKey(`marketplace.${key}.${name}.keys[${index}]`, text)),
    }))
  }
}

function registryKeysOf({ registries }: MarketplaceConfig) {
  return Object.fromEntries(
    Object.entries(registries).map(([name, { keys }]) => [
      name,
      keys.map((key, index) =>
        readRegistryKey(`marketplace.registries.${name}.keys[${index}]`, key),
      ),
    ]),
  )
}

async function readRegistries(
  loaded: LoadedConfig,
  { readSecret }: Pick<MarketplaceParts, 'readSecret'>,
): Promise<RegistryAccesses> {
  const entries = Object.entries(loaded.config.marketplace.registries).map(
    async ([name, { url, scopes, token }]) => {
      const key = `marketplace.registries.${name}.token`
      const secret = token && (await readSecret(resolveReference(token, loaded), key))
      return [name, { scopes, ...(url && { url }), ...(secret && { token: secret }) }] as const
    },
  )
  return Object.fromEntries(await Promise.all(entries))
}

function trustRootReader({ loaded }: Pick<MarketplaceParts, 'loaded'>) {
  return async () => {
    const { config, folder } = loaded()
    const { trustRoot } = config.marketplace
    return trustRoot === undefined ? undefined : readFile(resolve(folder, trustRoot), 'utf8')
  }
}

/** Names that a stranger's package must not be taken for. */
async function officialNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder).catch((): string[] => [])
  const names = await Promise.all(
    entries.map(async (entry) => {
      const json = await readFile(join(folder, entry, 'package.json'), 'utf8').catch(() => '{}')
      return String((JSON.parse(json) as { name?: unknown }).name ?? '')
    }),
  )
  return names.filter(Boolean)
}
