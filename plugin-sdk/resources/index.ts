import { attachment } from './attachment.ts'
import { cloud } from './cloud.ts'
import { compute } from './compute.ts'
import type { NestedKind, OrderedKind, QueriedKind, ResourceKind } from './define-resource.ts'
import { image } from './image.ts'
import { network } from './network.ts'
import { publicIp } from './public-ip.ts'
import { quota } from './quota.ts'
import { securityRule } from './security-rule.ts'
import { spec } from './spec.ts'
import { volume } from './volume.ts'

/** Every kind of resource. To add one: write its file and put it here; nothing else names kinds one by one. */
export const resources = {
  compute,
  volume,
  network,
  attachment,
  publicIp,
  securityRule,
  image,
  quota,
  spec,
  cloud,
} as const

const all: readonly ResourceKind[] = Object.values(resources)

export const orderedKinds: readonly OrderedKind[] = all.filter(
  (kind) => kind.lifecycle === 'ordered',
)
export const queriedKinds: readonly QueriedKind[] = all.filter(
  (kind) => kind.lifecycle === 'queried',
)
export const nestedKinds: readonly NestedKind[] = all.filter((kind) => kind.lifecycle === 'nested')

export function orderedKind(name: string): OrderedKind | undefined {
  return orderedKinds.find((kind) => kind.name === name)
}
