import { FogbowError } from '@fogbow/plugin-sdk'
import { defaults, type Settings } from '../config.ts'
import type { Fields } from './fields.ts'

export type Service = 'compute' | 'network' | 'volume' | 'image'

/** Types under which catalogues list a service (OpenStack service types authority), and what follows a bare address. */
const services: Readonly<Record<Service, { types: readonly string[]; version?: string }>> = {
  compute: { types: ['compute'] },
  network: { types: ['network'], version: '/v2.0' },
  volume: { types: ['block-storage', 'volumev3', 'block-store'] },
  image: { types: ['image'], version: '/v2' },
}

/** Addresses of the services of one account. */
export interface Catalogue {
  /**
   * Without a slash at its end.
   * @throws not_implemented when the cloud has no such service; configuration_error when none suits the settings
   */
  urlOf(service: Service): string
  has(service: Service): boolean
}

/** @param entries - `token.catalog` of Keystone's answer */
export function createCatalogue(entries: readonly Fields[], settings: Settings): Catalogue {
  const wanted = settings.interface ?? defaults.interface
  const endpointsOf = (service: Service) =>
    services[service].types
      .map((type) => entries.filter((entry) => entry.maybeText('type') === type))
      .map((found) => found.flatMap((entry) => entry.objects('endpoints')))
      .find((found) => found.some(isHere)) ?? []
  const isHere = (endpoint: Fields) =>
    endpoint.maybeText('interface') === wanted &&
    (settings.region === undefined || regionOf(endpoint) === settings.region)
  const regions = new Set(entries.flatMap((entry) => entry.objects('endpoints').map(regionOf)))

  function urlOf(service: Service): string {
    const suitable = endpointsOf(service).filter(isHere)
    const [endpoint] = suitable
    if (!endpoint) throw missing(service)
    const choice = [...new Set(suitable.map(regionOf))]
    if (choice.length > 1)
      throw new FogbowError(
        'configuration_error',
        `the ${service} service is in several regions: set region to one of ${choice.join(', ')}`,
      )
    return withVersion(endpoint.text('url'), services[service].version)
  }

  function missing(service: Service): FogbowError {
    const { region } = settings
    if (region !== undefined && !regions.has(region))
      return new FogbowError(
        'configuration_error',
        `the cloud has no region '${region}'; regions are ${[...regions].join(', ')}`,
      )
    const where = region === undefined ? '' : ` in region '${region}'`
    return new FogbowError(
      'not_implemented',
      `this cloud has no ${service} service${where}: its catalogue lists no ${wanted} endpoint of ${services[service].types.join(' or ')}`,
    )
  }

  return { urlOf, has: (service) => endpointsOf(service).length > 0 }
}

function regionOf(endpoint: Fields): string {
  return endpoint.maybeText('region_id') ?? endpoint.maybeText('region') ?? ''
}

function withVersion(address: string, version = ''): string {
  const url = address.replace(/\/+$/, '')
  return /\/v\d+(\.\d+)?(\/|$)/.test(new URL(url).pathname) ? url : `${url}${version}`
}
