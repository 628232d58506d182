import { FogbowError } from '@fogbow/plugin-sdk'
import { satisfies, validRange } from 'semver'
import type { PackageRegistries } from '../fetch/registries.ts'
import { readJson } from '../fetch/registry-document.ts'
import type { Advisory, Component } from '../marketplace.ts'
import type { Catalogues } from './catalogue.ts'

const severities = ['low', 'moderate', 'high', 'critical'] as const

/**
 * Known weaknesses of packages: of the default registry, where it has the bulk request of npm's audit, and of the catalogues.
 * @throws unavailable_provider when neither could be asked
 */
export async function findAdvisories(
  components: readonly Component[],
  registries: PackageRegistries,
  catalogues: Catalogues,
): Promise<Advisory[]> {
  const [ofRegistry, { listed }] = await Promise.all([
    askRegistry(components, registries).catch(() => undefined),
    catalogues.list(),
  ])
  const ofCatalogues = listed.flatMap(({ entry }) => entry.advisories ?? [])
  if (!ofRegistry && listed.length === 0) {
    const message = 'No registry or catalogue could be asked for known weaknesses'
    throw new FogbowError('unavailable_provider', message)
  }
  const about = [...(ofRegistry ?? []), ...ofCatalogues].filter((advisory) =>
    components.some((component) => isAffected(component, advisory)),
  )
  const byId = new Map(about.map((advisory) => [`${advisory.id} ${advisory.package}`, advisory]))
  return [...byId.values()]
}

function isAffected({ name, version }: Component, advisory: Advisory): boolean {
  if (name !== advisory.package || validRange(advisory.range) === null) return false
  return satisfies(version, advisory.range, { includePrerelease: true })
}

async function askRegistry(
  components: readonly Component[],
  registries: PackageRegistries,
): Promise<Advisory[]> {
  const names = [...new Set(components.map(({ name }) => name))]
  const versions = Object.fromEntries(
    names.map((name) => [
      name,
      components.filter((one) => one.name === name).map(({ version }) => version),
    ]),
  )
  const options = { ...registries.options(), method: 'POST', body: versions }
  const path = '/-/npm/v1/security/advisories/bulk'
  const answer = await readJson(path, options, 'known weaknesses')
  return Object.entries(toObject(answer)).flatMap(([name, list]) =>
    Array.isArray(list) ? list.map((one) => toAdvisory(name, one)) : [],
  )
}

function toAdvisory(name: string, written: unknown): Advisory {
  const { id, title, url, severity, vulnerable_versions: range } = toObject(written)
  return {
    id: String(id).slice(0, 128),
    package: name,
    // Whatever cannot be ranked is not taken for harmless.
    severity: severities.find((known) => known === severity) ?? 'high',
    title: String(title).slice(0, 1024),
    ...(typeof url === 'string' && { url }),
    range: String(range ?? '*'),
  }
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
