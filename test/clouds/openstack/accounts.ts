import { type Json, type Login, logIn, type Project } from './api.ts'
import { REGION, SERVICE_PASSWORD } from './configuration.ts'
import { createImage } from './images.ts'
import type { Places, Service } from './places.ts'
import { ADMIN_PASSWORD } from './services.ts'

/** What is in the cloud before anybody uses it. */
export interface Inventory {
  image: string
  publicNetwork: string
  privateNetwork: string
  router: string
}

const catalogue: readonly { user: Service; type: string; path: string }[] = [
  { user: 'glance', type: 'image', path: '' },
  { user: 'nova', type: 'compute', path: '/v2.1' },
  { user: 'placement', type: 'placement', path: '' },
  { user: 'neutron', type: 'network', path: '' },
  { user: 'cinder', type: 'volumev3', path: '/v3/%(project_id)s' },
]

export const logins = {
  admin: { username: 'admin', password: ADMIN_PASSWORD, project: 'admin' },
  demo: { username: 'demo', password: 'demo-password', project: 'demo' },
  other: { username: 'other', password: 'other-password', project: 'other' },
} as const satisfies Record<string, Login>

export function logInAsAdmin(places: Places): Promise<Project> {
  return logIn(places.authUrl, logins.admin)
}

/** Accounts of the services with their places in the catalogue, and two projects for users. */
export async function createAccounts(places: Places): Promise<void> {
  const admin = await logInAsAdmin(places)
  const post = (path: string, body: Json) => admin.call('identity', 'POST', path, body)
  const roles = new Map<string, string>()
  const { roles: known } = await admin.call('identity', 'GET', '/roles')
  for (const { name, id } of known) roles.set(name, id)
  if (!roles.has('service'))
    roles.set('service', (await post('/roles', { role: { name: 'service' } })).role.id)

  const createProject = async (name: string): Promise<string> =>
    (await post('/projects', { project: { name, domain_id: 'default' } })).project.id
  const createUser = async (name: string, password: string, project: string, ...as: string[]) => {
    const { user } = await post('/users', { user: { name, password, domain_id: 'default' } })
    for (const role of as)
      await admin.call(
        'identity',
        'PUT',
        `/projects/${project}/users/${user.id}/roles/${roles.get(role)}`,
      )
  }

  const service = await createProject('service')
  const isThere = ({ user }: { user: Service }) => places.services.includes(user)
  await Promise.all([
    ...catalogue.filter(isThere).map(async ({ user, type, path }) => {
      await createUser(user, SERVICE_PASSWORD, service, 'admin', 'service')
      const { service: entry } = await post('/services', { service: { name: user, type } })
      const url = `${places.urlOf(user)}${path}`
      const endpoint = { service_id: entry.id, region_id: REGION, interface: 'public', url }
      await post('/endpoints', { endpoint })
    }),
    ...[logins.demo, logins.other].map(async ({ username, password, project }) =>
      createUser(username, password, await createProject(project), 'member', 'reader'),
    ),
  ])
}

/** Flavors: name, virtual CPUs, MiB of memory, GiB of disk, extra specs. The last one fits on no machine. */
const flavors = [
  ['nano', 1, 64, 1, {}],
  ['tiny', 1, 512, 1, {}],
  ['small', 1, 2048, 20, {}],
  ['fast', 2, 2048, 20, { 'storage:class': 'ssd' }],
  ['diskless', 1, 1024, 0, {}],
  ['impossible', 128, 1_048_576, 20, { 'storage:class': 'none' }],
] as const

const PLENTY = 200

/** What a provider of a cloud makes: image, flavors, networks, a volume type, quotas. */
export async function createInventory(places: Places): Promise<Inventory> {
  const admin = await logInAsAdmin(places)
  const demo = await logIn(places.authUrl, logins.demo)
  const [image, networks] = await Promise.all([
    createImage(admin, 'tiny', 'public'),
    createNetworks(admin, demo),
    createFlavors(admin),
    setQuotas(admin, demo.id),
    places.services.includes('cinder') && createVolumeTypes(admin, demo.id),
  ])
  return { image, ...networks }
}

async function createFlavors(admin: Project): Promise<void> {
  for (const [name, vcpus, ram, disk, extra] of flavors) {
    const { flavor } = await admin.call('compute', 'POST', '/flavors', {
      flavor: { name, vcpus, ram, disk },
    })
    if (Object.keys(extra).length > 0)
      await admin.call('compute', 'POST', `/flavors/${flavor.id}/os-extra_specs`, {
        extra_specs: extra,
      })
  }
}

async function createNetworks(admin: Project, demo: Project) {
  const post = async (project: Project, kind: string, fields: Json): Promise<string> =>
    (await project.call('network', 'POST', `/${kind}s`, { [kind]: fields }))[kind].id
  const publicNetwork = await post(admin, 'network', {
    name: 'public',
    'router:external': true,
    'provider:network_type': 'flat',
    'provider:physical_network': 'public',
  })
  await post(admin, 'subnet', {
    network_id: publicNetwork,
    ip_version: 4,
    cidr: '198.51.100.0/24',
    enable_dhcp: false,
  })
  const privateNetwork = await post(demo, 'network', { name: 'private' })
  const subnet = await post(demo, 'subnet', {
    network_id: privateNetwork,
    ip_version: 4,
    cidr: '10.0.0.0/16',
  })
  const router = await post(demo, 'router', {
    name: 'router',
    external_gateway_info: { network_id: publicNetwork },
  })
  await demo.call('network', 'PUT', `/routers/${router}/add_router_interface`, {
    subnet_id: subnet,
  })
  return { publicNetwork, privateNetwork, router }
}

async function createVolumeTypes(admin: Project, project: string): Promise<void> {
  for (const [name, specs] of [
    ['standard', { volume_backend_name: 'files' }],
    ['fast', { volume_backend_name: 'files', 'storage:class': 'ssd' }],
  ] as const)
    await admin.call('volumev3', 'POST', '/types', {
      volume_type: { name, extra_specs: specs },
    })
  const quota_set = { volumes: PLENTY, gigabytes: 10 * PLENTY }
  await admin.call('volumev3', 'PUT', `/os-quota-sets/${project}`, { quota_set })
}

async function setQuotas(admin: Project, project: string): Promise<void> {
  const compute = { instances: PLENTY, cores: PLENTY, ram: 1 << 20, key_pairs: PLENTY }
  const network = {
    network: PLENTY,
    subnet: PLENTY,
    port: 5 * PLENTY,
    floatingip: PLENTY,
    security_group: PLENTY,
    security_group_rule: 10 * PLENTY,
  }
  await admin.call('compute', 'PUT', `/os-quota-sets/${project}`, { quota_set: compute })
  await admin.call('network', 'PUT', `/quotas/${project}`, { quota: network })
}

/**
 * Nova and Cinder take work only once their hosts have said that they are there; what is asked of a scheduler before it
 * listens is lost. Each reports for the first time after it listens.
 */
export async function hostsAreUp(places: Places): Promise<boolean> {
  const admin = await logInAsAdmin(places)
  const { hypervisors } = await admin.call('compute', 'GET', '/os-hypervisors')
  const { services } = await admin.call('compute', 'GET', '/os-services')
  if (hypervisors.length === 0 || !haveReported(services, 'nova-scheduler', 'nova-conductor'))
    return false
  if (!places.services.includes('cinder')) return true
  // Volumes that are asked for before the scheduler was told what there is room for fail at once.
  const { pools } = await admin.call('volumev3', 'GET', '/scheduler-stats/get_pools')
  return pools.length > 0
}

function haveReported(services: Json[], ...names: string[]): boolean {
  return names.every((name) =>
    services.some(({ binary, updated_at }) => binary === name && updated_at !== null),
  )
}
