import { lt } from 'semver'
import {
  type Component,
  type LockedPlugin,
  type PackageChange,
  trustLevels,
} from '../marketplace.ts'

export interface VersionChange {
  from?: LockedPlugin | undefined
  to?: LockedPlugin | undefined
}

type Differences = Pick<PackageChange, 'capabilities' | 'components' | 'license' | 'offered'>

/** What can be seen of a change without running either version. */
export function compare(from: LockedPlugin | undefined, to: LockedPlugin | undefined): Differences {
  return {
    capabilities: difference(capabilitiesOf(from), capabilitiesOf(to)),
    components: compareComponents(from?.components ?? [], to?.components ?? []),
    license: { ...(from && { from: from.license }), ...(to && { to: to.license }) },
    offered: difference(from?.manifest.kinds ?? [], to?.manifest.kinds ?? []),
  }
}

function difference(before: readonly string[], after: readonly string[]) {
  return {
    added: after.filter((one) => !before.includes(one)),
    dropped: before.filter((one) => !after.includes(one)),
  }
}

function capabilitiesOf(plugin: LockedPlugin | undefined): string[] {
  const { network = [], secrets = [], storage = false } = plugin?.manifest.capabilities ?? {}
  return [
    ...network.map((pattern) => `network ${pattern}`),
    ...secrets.map((secret) => `secret ${secret}`),
    ...(storage ? ['storage'] : []),
  ]
}

/** A package in another version counts as changed where there is one of it before and after. */
function compareComponents(
  before: readonly Component[],
  after: readonly Component[],
): PackageChange['components'] {
  const same = (a: Component) => (b: Component) =>
    a.name === b.name && a.version === b.version && a.integrity === b.integrity
  const gone = before.filter((one) => !after.some(same(one)))
  const come = after.filter((one) => !before.some(same(one)))
  const changed: [Component, Component][] = []
  for (const old of gone) {
    const next = come.filter(({ name }) => name === old.name)
    const isOnly = gone.filter(({ name }) => name === old.name).length === 1
    if (isOnly && next[0] && next.length === 1) changed.push([old, next[0]])
  }
  const pairs = new Set(changed.flat())
  return {
    added: come.filter((one) => !pairs.has(one)),
    removed: gone.filter((one) => !pairs.has(one)),
    changed,
  }
}

/** All that a package is let in with, as it is accepted by name. */
export function rightsOf(plugin: LockedPlugin): string[] {
  return [
    ...capabilitiesOf(plugin).map((capability) => `capability ${capability}`),
    `license ${plugin.license}`,
    `level ${plugin.trust.level}`,
  ]
}

/** What of a change has to be accepted: whatever it has that the version before had not. */
export function rightsToAccept({ from, to }: VersionChange): string[] {
  if (!to) return []
  if (!from) return rightsOf(to)
  const held = rightsOf(from)
  const isBetter = rankOf(to) < rankOf(from)
  const added = rightsOf(to).filter(
    (right) => !held.includes(right) && !(isBetter && right.startsWith('level ')),
  )
  return [...added, ...originChanges(from, to)]
}

function rankOf({ trust }: LockedPlugin): number {
  return trustLevels.indexOf(trust.level)
}

function originChanges(from: LockedPlugin, to: LockedPlugin): string[] {
  const before = { registry: originOf(from), publisher: from.trust.publisher }
  const after = { registry: originOf(to), publisher: to.trust.publisher }
  const changes: string[] = []
  if (before.registry !== after.registry)
    changes.push(`registry ${before.registry} → ${after.registry}`)
  if (before.publisher && after.publisher && before.publisher !== after.publisher)
    changes.push(`publisher ${before.publisher} → ${after.publisher}`)
  if (lt(to.version, from.version)) changes.push(`downgrade ${from.version} → ${to.version}`)
  return changes
}

function originOf({ registry, sourceKind }: LockedPlugin): string {
  return registry ?? (sourceKind === 'npm' ? 'unknown' : 'this machine')
}
