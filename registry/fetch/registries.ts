import { invalid } from '@fogbow/plugin-sdk'
import type { NpmOptions } from './tarball.ts'

/** One registry of the configuration. */
export interface RegistryAccess {
  /** Absent: whichever npm's client would ask. */
  url?: string
  /** Packages of these scopes, such as `@vendor`, come from here and from nowhere else. */
  scopes?: readonly string[]
  token?: string
}

/** Which registry a package comes from, so that no other one can put its own in its place. */
export interface PackageRegistries {
  /** The one that a scope is given to, or else the default one. */
  nameFor(packageName: string): string
  /** Those that are searched. */
  names(): string[]
  /** Whether there is such a registry in the configuration, or in `.npmrc`. */
  has(registry: string): boolean
  /**
   * For npm's client.
   * @param from - this package comes from that registry, whatever its scope says
   * @throws invalid_parameter when there is no such registry
   */
  options(from?: { packageName: string; registry: string }): NpmOptions
}

/** Name of the default registry while the configuration gives it none. */
const defaultRegistry = 'npm'

/** By the name that the configuration gives them. */
export type RegistryAccesses = Readonly<Record<string, RegistryAccess>>

/**
 * @param npm - for every registry, such as `cache`; `registry` is that of the default one
 * @param configured - a function where they may change; asked each time
 */
export function createPackageRegistries(
  npm: NpmOptions,
  configured: RegistryAccesses | (() => RegistryAccesses) = {},
): PackageRegistries {
  if (typeof configured !== 'function') return registriesOf(npm, configured)
  const present = () => registriesOf(npm, configured())
  return {
    names: () => present().names(),
    has: (registry) => present().has(registry),
    nameFor: (packageName) => present().nameFor(packageName),
    options: (from) => present().options(from),
  }
}

function registriesOf(npm: NpmOptions, inConfiguration: RegistryAccesses): PackageRegistries {
  const configured = { ...ofNpmrc(npm, inConfiguration), ...inConfiguration }
  const entries = Object.entries(configured)
  const unscoped = entries.find(([, { scopes }]) => !scopes || scopes.length === 0)
  const [defaultName, defaultAccess] = unscoped ?? [defaultRegistry, {} as RegistryAccess]
  const byScope = new Map(
    entries.flatMap(([name, { scopes = [] }]) => scopes.map((scope) => [scope, name] as const)),
  )

  const shared: NpmOptions = {
    ...npm,
    ...(defaultAccess.url !== undefined && { registry: defaultAccess.url }),
    ...Object.fromEntries([...byScope].flatMap(([scope, name]) => scopeOption(scope, name))),
    ...Object.fromEntries(entries.flatMap(([, access]) => tokenOption(access))),
  }

  function scopeOption(scope: string, name: string): [string, string][] {
    const url = configured[name]?.url
    return url === undefined ? [] : [[`${scope}:registry`, url]]
  }

  const has = (registry: string) => registry === defaultName || Object.hasOwn(configured, registry)

  return {
    names: () => {
      const names = Object.keys(configured)
      return Object.keys(inConfiguration).length > 0 ? names : [defaultName, ...names]
    },
    has,
    nameFor: (packageName) => byScope.get(scopeOf(packageName)) ?? defaultName,
    options(from) {
      if (!from) return shared
      if (!has(from.registry)) {
        const known = [...new Set([defaultName, ...Object.keys(configured)])].join(', ')
        throw invalid('registry', `'${from.registry}' is not configured; there is ${known}`)
      }
      const { [`${scopeOf(from.packageName)}:registry`]: _, ...rest } = shared
      const url = configured[from.registry]?.url
      return url === undefined ? rest : { ...rest, registry: url }
    },
  }
}

/** Scopes that `.npmrc` gives to a registry and the configuration does not; each is a registry of that name. */
function ofNpmrc(npm: NpmOptions, configured: RegistryAccesses): RegistryAccesses {
  const taken = new Set(Object.values(configured).flatMap(({ scopes = [] }) => scopes))
  const found = Object.entries(npm).flatMap(([key, url]): [string, RegistryAccess][] => {
    const scope = /^(@[^:]+):registry$/.exec(key)?.[1]
    if (scope === undefined || taken.has(scope) || typeof url !== 'string') return []
    return [[scope, { url, scopes: [scope] }]]
  })
  return Object.fromEntries(found)
}

/** Empty for a package without a scope. */
function scopeOf(packageName: string): string {
  return packageName.startsWith('@') ? (packageName.split('/')[0] ?? '') : ''
}

/** Only for addresses below that of the registry. */
function tokenOption({ url, token }: RegistryAccess): [string, string][] {
  if (url === undefined || token === undefined) return []
  const { host, pathname } = new URL(url)
  return [[`//${host}${pathname.replace(/\/?$/, '/')}:_authToken`, token]]
}
