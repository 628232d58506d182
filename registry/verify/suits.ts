import { contracts, type PluginManifest } from '@fogbow/plugin-sdk'
import { satisfies, validRange } from 'semver'

/** Whether a plugin with this range works with the SDK of the site; its prereleases count as what they lead to. */
export function suitsSdk(range: string, sdkVersion: string): boolean {
  return satisfies(sdkVersion, range, { includePrerelease: true })
}

/** The part of a manifest that says what a version works with; nothing of it has been checked. */
export type Needs = { [Key in keyof Pick<PluginManifest, 'sdk' | 'contracts'>]?: unknown }

/** Why a version does not suit a site, in words; undefined when it does, or when its registry does not tell. */
export function unsuitability({ sdk, contracts: made }: Needs, sdkVersion: string) {
  if (typeof sdk === 'string' && validRange(sdk) !== null && !suitsSdk(sdk, sdkVersion))
    return `it asks for SDK ${sdk}, and this site has ${sdkVersion}`
  for (const [kind, version] of Object.entries(made ?? {})) {
    const has = Object.hasOwn(contracts, kind) ? contracts[kind]?.version : undefined
    if (has === version) continue
    const what = has === undefined ? 'does not know that kind' : `has version ${has}`
    return `it was made for version ${version} of the contract of '${kind}', and this site ${what}`
  }
  return undefined
}
