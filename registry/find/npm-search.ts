import { asFogbowError, FogbowError } from '@fogbow/plugin-sdk'
import type { PackageRegistries } from '../fetch/registries.ts'
import { readJson } from '../fetch/registry-document.ts'

/** A package as an npm registry's search shows it. */
export interface SearchHit {
  name: string
  version: string
  description: string
  keywords: string[]
  publisher?: string
  publishedAt?: string
}

/** Keyword by which plugins are found. */
export const pluginKeyword = 'fogbow-plugin'

const MOST_HITS = 250

/**
 * Asks a registry for plugins.
 * @param registry - its name in the configuration
 * @throws unavailable_provider, or invalid_parameter where it cannot search
 */
export async function searchRegistry(
  registry: string,
  text: string,
  registries: PackageRegistries,
): Promise<SearchHit[]> {
  const ask = (words: string) => askRegistry(registry, words, registries)
  const byKeyword = pluginsOf(await ask(`keywords:${pluginKeyword} ${text}`.trim()))
  if (byKeyword.length > 0) return byKeyword
  // Those that index no keywords look for the qualifier itself; of what they answer to the bare words any one counts.
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return pluginsOf(await ask(text.trim())).filter((hit) => holdsAll(hit, words))
}

async function askRegistry(
  registry: string,
  text: string,
  registries: PackageRegistries,
): Promise<SearchHit[]> {
  const query = new URLSearchParams({ text, size: String(MOST_HITS) })
  const options = registries.options({ packageName: '', registry })
  const document = await readJson(`/-/v1/search?${query}`, options, registry).catch((error) => {
    throw asFogbowError(error).code === 'invalid_parameter' ? unsearchable(registry) : error
  })
  const { objects } = toObject(document)
  return Array.isArray(objects) ? objects.map((one) => toHit(toObject(one).package)) : []
}

/** Some registries do not know of keywords and answer with whatever holds the word. */
function pluginsOf(hits: readonly SearchHit[]): SearchHit[] {
  return hits.filter(({ name, keywords }) => name !== '' && keywords.includes(pluginKeyword))
}

function holdsAll({ name, description, keywords }: SearchHit, words: readonly string[]): boolean {
  const haystack = [name, description, ...keywords].join(' ').toLowerCase()
  return words.every((word) => haystack.includes(word))
}

function toHit(written: unknown): SearchHit {
  const fields = toObject(written)
  const { keywords, date } = fields
  const publisher = textOf(toObject(fields.publisher).username)
  return {
    name: textOf(fields.name),
    version: textOf(fields.version),
    description: textOf(fields.description).slice(0, 1024),
    keywords: Array.isArray(keywords) ? keywords.filter((one) => typeof one === 'string') : [],
    ...(publisher && { publisher }),
    ...(typeof date === 'string' && { publishedAt: date }),
  }
}

function unsearchable(registry: string): FogbowError {
  const message = `registry '${registry}' has no search; ask for a package by its name`
  return new FogbowError('unavailable_provider', message)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
