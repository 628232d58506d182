import { type Clock, FogbowError } from '@fogbow/plugin-sdk'
import type { Cloud } from '../api/cloud.ts'
import type { Fields } from '../api/fields.ts'
import { createMemory, type Memory } from '../memory.ts'

export interface Flavor {
  id: string
  name: string
  vCPU: number
  /** MiB */
  ram: number
  /** GiB; 0 when root disks have to come from elsewhere */
  disk: number
  /** Extra specs, where tags of hosts and hardware are. */
  requirements: Record<string, string>
}

/** Hardware that is asked for; sizes are minima. */
export interface Hardware {
  vCPU: number
  ram: number
  disk: number
  requirements: Readonly<Record<string, string>>
}

export interface Flavors {
  all(cloud: Cloud): Promise<Flavor[]>
  /** After a refusal: what was known may be outdated. */
  forget(cloud: Cloud): void
}

const LIFETIME_MS = 60_000

export function createFlavors(clock: Clock): Flavors {
  const memory: Memory<Flavor[]> = createMemory(clock, LIFETIME_MS)
  return {
    all: (cloud) =>
      memory.get(cloud.session, 'all', async () =>
        (await cloud.list('compute', '/flavors/detail', 'flavors')).map(toFlavor),
      ),
    forget: (cloud) => memory.forget(cloud.session),
  }
}

export function toFlavor(fields: Fields): Flavor {
  return {
    id: fields.text('id'),
    name: fields.text('name'),
    vCPU: fields.number('vcpus'),
    ram: fields.number('ram'),
    disk: fields.number('disk'),
    requirements: fields.maybeObject('extra_specs')?.entries() ?? {},
  }
}

/**
 * The smallest flavor with the hardware and every requirement; a requirement is an extra spec or `flavor`, its name.
 * @param diskFromVolume - root disks are volumes, so that the flavor's own does not count
 * @throws unacceptable_operation
 */
export function chooseFlavor(
  flavors: readonly Flavor[],
  wanted: Hardware,
  diskFromVolume: boolean,
): Flavor {
  const hasRequired = (flavor: Flavor) =>
    Object.entries(wanted.requirements).every(
      ([name, value]) =>
        flavor.requirements[name] === value || (name === 'flavor' && flavor.name === value),
    )
  const hasDisk = ({ disk }: Flavor) => diskFromVolume || disk === 0 || disk >= wanted.disk
  const [smallest] = flavors
    .filter(({ vCPU, ram }) => vCPU >= wanted.vCPU && ram >= wanted.ram)
    .filter((flavor) => hasDisk(flavor) && hasRequired(flavor))
    .sort(bySize)
  if (smallest) return smallest
  const demands = Object.entries(wanted.requirements).map(([name, value]) => `, ${name}=${value}`)
  throw new FogbowError(
    'unacceptable_operation',
    `no flavor of the cloud has ${wanted.vCPU} vCPU, ${wanted.ram} MiB of memory and ${wanted.disk} GiB of disk${demands.join('')}`,
  )
}

/** Of equal ones, those with a disk of their own come first: no volume has to be made. */
function bySize(a: Flavor, b: Flavor): number {
  return (
    a.vCPU - b.vCPU ||
    a.ram - b.ram ||
    Number(a.disk === 0) - Number(b.disk === 0) ||
    a.disk - b.disk
  )
}
