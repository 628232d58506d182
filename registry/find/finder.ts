import { asFogbowError, FogbowError, manifestSchema, type PluginManifest } from '@fogbow/plugin-sdk'
import { joinPath, validatorFor } from '@fogbow/plugin-sdk/validate'
import { type OfferedVersion, offeredVersions } from '../fetch/offered-versions.ts'
import type { PackageRegistries } from '../fetch/registries.ts'
import type {
  Advisory,
  Component,
  FoundPlugin,
  Marketplace,
  PluginAbout,
  SearchQuery,
  SearchResult,
} from '../marketplace.ts'
import { refusal } from '../refusal.ts'
import type { Candidate } from '../trust/candidate.ts'
import { unsuitability } from '../verify/suits.ts'
import { findAdvisories } from './advisories.ts'
import type { Catalogues, CatalogueVersion, Listed } from './catalogue.ts'
import { type SearchHit, searchRegistry } from './npm-search.ts'
import { type PackageTexts, readPackageTexts } from './read-package.ts'
import { resembled } from './resembles.ts'

export interface FinderOptions {
  sdkVersion: string
  registries: PackageRegistries
  catalogues: Catalogues
  /** Package → version that is installed. */
  installed(): Promise<ReadonlyMap<string, string>>
  /** Names that a package must not be taken for, beside those of catalogues. */
  wellKnown: readonly string[]
}

export interface Finder extends Pick<Marketplace, 'search' | 'about' | 'refresh'> {
  /** @throws unavailable_provider when nobody could be asked */
  advisories(components: readonly Component[]): Promise<Advisory[]>
  /** A better-known package that a name could be taken for. */
  resembled(packageName: string): Promise<string | undefined>
  /** The newest version that suits this site, by what catalogues say; needs no network. */
  newestListed(packageName: string): Promise<string | undefined>
  /** Evidence that a catalogue carries, for mirrors that drop it. */
  evidenceFor(
    candidate: Pick<Candidate, 'name' | 'version' | 'integrity'>,
  ): Promise<{ attestations: unknown[]; vetting?: CatalogueVersion['vetting'] }>
}

const PAGE = 50
const LARGEST_PAGE = 250
/** Documents that are read at once. */
const CONCURRENCY = 8

export function createFinder(options: FinderOptions): Finder {
  const { sdkVersion, registries, catalogues } = options

  async function search(query: SearchQuery): Promise<SearchResult> {
    const { listed, problems } = await catalogues.list()
    const hits = await searchRegistries(query)
    const words = wordsOf(query.text)
    const inCatalogues = listed.filter((one) => matches(one, query, words))
    const names = new Set(inCatalogues.map(({ entry }) => entry.name))
    const onlyInRegistries = hits.found.filter(({ hit }) => !names.has(hit.name))
    const start = toOffset(query.cursor)
    const end = start + Math.min(query.limit ?? PAGE, LARGEST_PAGE)
    const all = [...inCatalogues, ...onlyInRegistries]
    const installed = await options.installed()
    const known = new Set([...options.wellKnown, ...listed.map(({ entry }) => entry.name)])
    const page = await inGroups(all.slice(start, end), (one) =>
      'entry' in one ? fromCatalogue(one, installed) : fromRegistry(one, installed, known),
    )
    const items = page.filter(({ kinds }) => !query.kind || kinds.includes(query.kind))
    return {
      items,
      ...(end < all.length && { next: String(end) }),
      problems: [...problems, ...hits.problems],
    }
  }

  async function searchRegistries({ text = '', source }: SearchQuery) {
    const found: { hit: SearchHit; registry: string }[] = []
    const problems: SearchResult['problems'] = []
    const asked = registries.names().filter((name) => source === undefined || source === name)
    await Promise.all(
      asked.map(async (registry) => {
        try {
          const hits = await searchRegistry(registry, text, registries)
          // A package of a scope comes from the registry that the scope was given to, and from nowhere else.
          const own = hits.filter(({ name }) => registries.nameFor(name) === registry)
          found.push(...own.map((hit) => ({ hit, registry })))
        } catch (error) {
          problems.push({ source: registry, problem: asFogbowError(error).message })
        }
      }),
    )
    return { found, problems }
  }

  function fromCatalogue(
    { entry, source }: Listed,
    installed: ReadonlyMap<string, string>,
  ): FoundPlugin {
    const suiting = entry.versions.find((one) => unsuitability(one, sdkVersion) === undefined)
    const [newest] = entry.versions
    const version = installed.get(entry.name)
    return {
      name: entry.name,
      description: entry.description,
      kinds: entry.kinds,
      license: entry.license ?? 'not stated',
      source,
      ...versionsOf(suiting, newest),
      ...(suiting?.publishedAt && { publishedAt: suiting.publishedAt }),
      ...(entry.publisher && { publisher: entry.publisher }),
      ...(suiting?.vetting && { vetting: suiting.vetting.result }),
      ...(version !== undefined && { installed: version }),
      ...(entry.deprecated && { deprecated: deprecationOf(entry.deprecated) }),
    }
  }

  async function fromRegistry(
    { hit, registry }: { hit: SearchHit; registry: string },
    installed: ReadonlyMap<string, string>,
    known: ReadonlySet<string>,
  ): Promise<FoundPlugin> {
    const offered = await offeredVersions(hit.name, registries, registry).catch(
      (): OfferedVersion[] => [],
    )
    const suiting = offered.find((one) => unsuitability(one, sdkVersion) === undefined)
    const resembles = resembled(hit.name, known)
    const version = installed.get(hit.name)
    const shown = suiting ?? offered[0]
    return {
      name: hit.name,
      description: hit.description,
      kinds: shown?.kinds ?? [],
      license: shown?.license ?? 'not stated',
      source: registry,
      ...versionsOf(suiting, offered[0]),
      ...(shown?.publishedAt && { publishedAt: shown.publishedAt }),
      ...(hit.publisher && { publisher: hit.publisher }),
      ...(version !== undefined && { installed: version }),
      ...(resembles !== undefined && { resembles }),
      ...(shown?.deprecated && { deprecated: { reason: shown.deprecated } }),
    }
  }

  function versionsOf(
    suiting: { version: string } | undefined,
    newest: { version: string; sdk?: string; contracts?: object } | undefined,
  ): Pick<FoundPlugin, 'version' | 'newest' | 'unsuitable'> {
    const problem = newest && unsuitability(newest, sdkVersion)
    return {
      ...(suiting && { version: suiting.version }),
      ...(newest && newest.version !== suiting?.version && { newest: newest.version }),
      ...(problem && { unsuitable: problem }),
    }
  }

  async function about(
    name: string,
    { version, source }: { version?: string; source?: string } = {},
  ): Promise<PluginAbout> {
    const listed = await catalogues.find(name)
    const registry = source !== undefined && registries.has(source) ? source : undefined
    const offered = await offeredVersions(
      version ? `${name}@${version}` : name,
      registries,
      registry,
    )
    const all = version ? await offeredVersions(name, registries, registry) : offered
    const chosen = offered.find((one) => unsuitability(one, sdkVersion) === undefined) ?? offered[0]
    if (!chosen) throw new FogbowError('not_found', `No source has '${name}'`)
    const texts = await readPackageTexts(chosen, registries)
    const manifest = toManifest(texts, chosen)
    const installed = await options.installed()
    const resembles = await resembledBy(name)
    const license = textOf(texts.fields.license) || 'not stated'
    const self = { name, version: chosen.version, license }
    const advisories = await findAdvisories([self], registries, catalogues).catch(() => [])
    const installedVersion = installed.get(name)
    const homepage = textOf(texts.fields.homepage) || listed?.entry.homepage
    return {
      name,
      description: textOf(texts.fields.description),
      kinds: manifest.kinds,
      license,
      source: chosen.registry,
      ...versionsOf(chosen, all[0]),
      ...(chosen.publishedAt && { publishedAt: chosen.publishedAt }),
      ...(listed?.entry.publisher && { publisher: listed.entry.publisher }),
      ...vettingOf(listed, chosen.version),
      ...(installedVersion !== undefined && { installed: installedVersion }),
      ...(resembles !== undefined && { resembles }),
      ...(listed?.entry.deprecated && { deprecated: deprecationOf(listed.entry.deprecated) }),
      versions: all.map((one) => ({
        version: one.version,
        sdk: one.sdk ?? '',
        suits: unsuitability(one, sdkVersion) === undefined,
        ...(one.publishedAt && { publishedAt: one.publishedAt }),
      })),
      manifest,
      readme: texts.readme || (listed?.entry.readme ?? ''),
      changelog: texts.changelog || (listed?.entry.changelog ?? ''),
      size: texts.size,
      advisories,
      screenshots: (listed?.entry.screenshots ?? []).map(({ url, caption = '' }) => ({
        url,
        caption,
      })),
      ...(homepage && { homepage }),
    }
  }

  async function resembledBy(packageName: string): Promise<string | undefined> {
    const { listed } = await catalogues.list()
    const known = new Set([...options.wellKnown, ...listed.map(({ entry }) => entry.name)])
    return resembled(packageName, known)
  }

  return {
    search,
    about,
    resembled: resembledBy,
    refresh: catalogues.refresh,
    advisories: (components) => findAdvisories(components, registries, catalogues),
    async newestListed(packageName) {
      const { entry } = (await catalogues.find(packageName)) ?? {}
      if (!entry || entry.deprecated) return undefined
      return entry.versions.find((one) => unsuitability(one, sdkVersion) === undefined)?.version
    },
    async evidenceFor({ name, version, integrity }) {
      const listed = await catalogues.find(name)
      const found = listed?.entry.versions.find((one) => one.version === version)
      // Said of other bytes under the same version, it is no evidence.
      if (!found || found.integrity !== integrity) return { attestations: [] }
      const { attestations = [], vetting } = found
      return { attestations, ...(vetting && { vetting }) }
    },
  }
}

function vettingOf(listed: Listed | undefined, version: string): Pick<FoundPlugin, 'vetting'> {
  const found = listed?.entry.versions.find((one) => one.version === version)
  return found?.vetting ? { vetting: found.vetting.result } : {}
}

function deprecationOf({ reason, successor }: { reason: string; successor?: string }) {
  return { reason, ...(successor !== undefined && { successor }) }
}

/** What is in the package counts, not what a registry's document says of it. */
function toManifest({ fields }: PackageTexts, { name, version }: OfferedVersion): PluginManifest {
  const origin = `${name}@${version}`
  if (fields.fogbow === undefined)
    throw refusal(origin, 'it is no plugin: package.json has no `fogbow`')
  const problem = validatorFor(manifestSchema)(fields.fogbow)
  if (!problem) return fields.fogbow as PluginManifest
  throw refusal(origin, `package.json: ${joinPath('fogbow', problem.field)} ${problem.message}`)
}

function matches(
  { entry, source, haystack }: Listed,
  query: SearchQuery,
  words: string[],
): boolean {
  if (query.source !== undefined && query.source !== source) return false
  if (query.kind !== undefined && !entry.kinds.includes(query.kind)) return false
  return words.every((word) => haystack.includes(word))
}

function wordsOf(text = ''): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean)
}

function toOffset(cursor: string | undefined): number {
  if (cursor === undefined) return 0
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor)
  throw new FogbowError('invalid_parameter', 'cursor must be the cursor of a page before')
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 2048) : ''
}

/** In the order of `items`, a few at a time. */
async function inGroups<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Result | Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (let at = 0; at < items.length; at += CONCURRENCY)
    results.push(...(await Promise.all(items.slice(at, at + CONCURRENCY).map(work))))
  return results
}
