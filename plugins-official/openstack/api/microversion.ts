import { type CallContext, FogbowError } from '@fogbow/plugin-sdk'
import type { Service } from './catalogue.ts'
import { fieldsOf } from './fields.ts'
import type { Http } from './http.ts'

/**
 * Version of the Compute API that is spoken: 2.52 tags servers when they are made, 2.61 lists extra specs with flavors,
 * 2.69 answers for cells that are down instead of leaving their servers out (Nova, "REST API Version History").
 */
const COMPUTE_VERSION = { major: 2, minor: 69 } as const

export interface Microversions {
  /** Headers that ask a service for the version that is spoken; asks the service once what it offers. */
  headersFor(
    service: Service,
    base: string,
    token: string,
    call: CallContext,
  ): Promise<Record<string, string>>
}

export function createMicroversions(http: Http): Microversions {
  const known = new Map<string, Promise<string>>()
  return {
    async headersFor(service, base, token, call) {
      if (service !== 'compute') return {}
      let version = known.get(base)
      if (!version) {
        version = negotiate(http, base, token, call)
        known.set(base, version)
        // What went wrong is tried again.
        version.catch(() => known.delete(base))
      }
      return { 'openstack-api-version': `compute ${await version}` }
    },
  }
}

async function negotiate(
  http: Http,
  base: string,
  token: string,
  call: CallContext,
): Promise<string> {
  const headers = { 'x-auth-token': token }
  const url = `${base}/`
  const answer = await http.send({ service: 'compute', method: 'GET', url, headers }, call)
  const version = fieldsOf(answer.body, 'compute').object('version')
  const least = minorOf(version.maybeText('min_version'))
  const most = minorOf(version.maybeText('version'))
  if (COMPUTE_VERSION.minor > most)
    throw new FogbowError(
      'configuration_error',
      `the compute service speaks up to version 2.${most} of its API, and ${COMPUTE_VERSION.major}.${COMPUTE_VERSION.minor} (OpenStack Stein) is needed`,
    )
  return `${COMPUTE_VERSION.major}.${Math.max(COMPUTE_VERSION.minor, least)}`
}

/** 0 for a service without microversions. */
function minorOf(version: string | undefined): number {
  const [major, minor] = (version ?? '').split('.').map(Number)
  return major === COMPUTE_VERSION.major && minor !== undefined ? minor : 0
}
