import { FogbowError, type SpecPlugin } from '@fogbow/plugin-sdk'
import type { Flavor, ImageConfig } from './config.ts'

interface Wanted {
  vCPU?: number
  /** MiB. */
  ram?: number
  /** GiB. */
  disk?: number
  requirements?: Readonly<Record<string, unknown>>
}

/**
 * The smallest flavor that has all that is wanted, and room for the image.
 * @throws unacceptable_operation when there is none
 */
export function chooseFlavor(
  flavors: readonly Flavor[],
  wanted: Wanted,
  image: ImageConfig,
): Flavor {
  const vCPU = wanted.vCPU ?? 0
  const ram = Math.max(wanted.ram ?? 0, image.minRam ?? 0)
  const disk = Math.max(wanted.disk ?? 0, image.minDisk ?? 0)
  const requirements = Object.entries(wanted.requirements ?? {})
  const [smallest] = flavors
    .filter((flavor) => flavor.vCPU >= vCPU && flavor.ram >= ram && flavor.disk >= disk)
    .filter((flavor) =>
      requirements.every(([name, value]) => flavor.requirements?.[name] === value),
    )
    .sort((a, b) => a.vCPU - b.vCPU || a.ram - b.ram || a.disk - b.disk)
  if (smallest) return smallest
  const demands = requirements.map(([name, value]) => `, ${name}=${value}`).join('')
  throw new FogbowError(
    'unacceptable_operation',
    `no flavor has ${vCPU} vCPU, ${ram} MiB of memory and ${disk} GiB of disk${demands} for image '${image.id}'`,
  )
}

export function createSpecPart(flavors: readonly Flavor[]): SpecPlugin {
  return {
    getAllSpecs: async () => flavors.map(({ id, name }) => ({ id, name })),
    async getFlavor(specId) {
      const flavor = flavors.find(({ id }) => id === specId)
      if (flavor) return { ...flavor }
      throw new FogbowError('instance_not_found', `spec '${specId}' does not exist`)
    },
  }
}
