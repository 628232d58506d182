import type { Component, Generation, LockedPlugin, PackageChange } from '../marketplace.ts'

/**
 * Versions never change: a registry that has other bytes under a version that this site knows is not believed. Tarballs
 * and folders of this machine are what their owner makes of them.
 */
export function otherBytes(
  changes: readonly PackageChange[],
  generations: readonly Generation[],
): string[] {
  const known = generations.flatMap(({ plugins }) => plugins)
  return changes.flatMap(({ from, to }) => {
    if (to?.sourceKind !== 'npm') return []
    const before = known.find((one) => isSame(one, to) && one.integrity !== to.integrity)
    const own = before ? [sentence(to, to, before)] : []
    return [...own, ...otherComponents(from, to)]
  })
}

function isSame(a: LockedPlugin, b: LockedPlugin): boolean {
  return (
    a.name === b.name &&
    a.version === b.version &&
    a.sourceKind === b.sourceKind &&
    (a.registry ?? b.registry) === b.registry
  )
}

function otherComponents(from: LockedPlugin | undefined, to: LockedPlugin): string[] {
  const before = from?.components ?? []
  return to.components.flatMap((one) => {
    const known = before.filter(
      ({ name, version, integrity }) =>
        name === one.name && version === one.version && integrity !== undefined,
    )
    const isOther = one.integrity !== undefined && known.length > 0
    const isKnown = known.some(({ integrity }) => integrity === one.integrity)
    return isOther && !isKnown ? [sentence(to, one, known[0])] : []
  })
}

function sentence(
  { name }: LockedPlugin,
  now: Pick<Component, 'name' | 'version' | 'integrity'>,
  before: Pick<Component, 'integrity'> | undefined,
): string {
  const what = `${now.name}@${now.version} was ${before?.integrity} and is ${now.integrity} now`
  return `${name}: ${what}; a version must not change, ask whoever runs the registry`
}
