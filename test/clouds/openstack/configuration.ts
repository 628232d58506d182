import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Places, Service } from './places.ts'

/** Accounts and regions are throw-away: the cloud is on the loopback interface and goes with the tests. */
export const REGION = 'RegionOne'
export const SERVICE_PASSWORD = 'service'
export const COMPUTE_HOST = 'compute1'
/** Of a list of images, whatever was asked for: a few images take more than one. */
export const LONGEST_PAGE = 5

type Section = Readonly<Record<string, string | number | boolean>>
type Sections = Readonly<Record<string, Section>>

/** The files that the services read, by service; what is not said here is as OpenStack has it by default. */
export function writeConfiguration(places: Places): void {
  const files: Record<Service, Sections> = {
    keystone: keystone(places),
    placement: placement(places),
    glance: glance(places),
    nova: nova(places),
    neutron: neutron(places),
    cinder: cinder(places),
  }
  for (const [service, sections] of Object.entries(files))
    writeFileSync(configurationOf(places, service as Service), toIni(sections), { mode: 0o600 })
  // These look for it beside their configuration, whatever that says.
  for (const [service, file] of [
    ['nova', 'api-paste.ini'],
    ['glance', 'glance-api-paste.ini'],
  ] as const)
    copyFileSync(`/usr/share/${service}-common/${file}`, join(places.inside(service), file))
  const cell0 = { database: { connection: places.databaseUrl('nova_cell0') } }
  writeFileSync(join(places.inside('nova'), 'cell0.conf'), toIni(cell0), { mode: 0o600 })
}

export function configurationOf(places: Pick<Places, 'inside'>, service: Service): string {
  return join(places.inside(service), service === 'glance' ? 'glance-api.conf' : `${service}.conf`)
}

function keystone(places: Places): Sections {
  const keys = places.inside('keystone', 'keys')
  return {
    database: database(places, 'keystone'),
    token: { provider: 'fernet', expiration: 3600 },
    fernet_tokens: { key_repository: keys },
    fernet_receipts: { key_repository: keys },
    credential: { key_repository: places.inside('keystone', 'credential-keys') },
    identity: { password_hash_rounds: 4 },
  }
}

function placement(places: Places): Sections {
  return {
    placement_database: database(places, 'placement'),
    keystone_authtoken: { www_authenticate_uri: places.authUrl, ...account(places, 'placement') },
  }
}

function glance(places: Places): Sections {
  return {
    ...shared(places, 'glance'),
    DEFAULT: {
      transport_url: places.brokerUrl,
      enabled_backends: 'files:file',
      api_limit_max: LONGEST_PAGE,
    },
    glance_store: { default_backend: 'files' },
    files: { filesystem_store_datadir: places.inside('glance', 'images') },
    paste_deploy: { flavor: 'keystone' },
  }
}

function nova(places: Places): Sections {
  return {
    ...shared(places, 'nova'),
    DEFAULT: {
      transport_url: places.brokerUrl,
      state_path: places.inside('nova', 'state'),
      my_ip: places.address,
      host: COMPUTE_HOST,
      // Otherwise what is done now and then begins at some moment of the first minute.
      periodic_fuzzy_delay: 0,
      compute_driver: 'fakecloud.compute.Driver',
    },
    api_database: database(places, 'nova_api'),
    conductor: { workers: 1 },
    scheduler: { workers: 1 },
    vnc: { enabled: false },
    glance: { api_servers: places.urlOf('glance') },
    cinder: { os_region_name: REGION, catalog_info: 'volumev3::publicURL' },
    placement: account(places, 'placement'),
    neutron: account(places, 'neutron'),
    service_user: { send_service_user_token: true, ...account(places, 'nova') },
  }
}

function neutron(places: Places): Sections {
  return {
    ...shared(places, 'neutron'),
    DEFAULT: {
      transport_url: places.brokerUrl,
      state_path: places.inside('neutron', 'state'),
      bind_host: places.address,
      bind_port: places.portOf('neutron'),
      core_plugin: 'ml2',
      service_plugins: 'fakecloud.network.Routers',
      api_paste_config: '/usr/share/neutron-common/api-paste.ini',
      api_workers: 1,
      rpc_workers: 1,
      rpc_state_report_workers: 0,
      network_auto_schedule: false,
    },
    nova: account(places, 'nova'),
    ml2: {
      type_drivers: 'flat,vxlan',
      tenant_network_types: 'vxlan',
      mechanism_drivers: 'fakecloud',
      extension_drivers: 'port_security',
    },
    ml2_type_flat: { flat_networks: 'public' },
    ml2_type_vxlan: { vni_ranges: '1:4094' },
  }
}

function cinder(places: Places): Sections {
  return {
    ...shared(places, 'cinder'),
    DEFAULT: {
      transport_url: places.brokerUrl,
      state_path: places.inside('cinder', 'state'),
      my_ip: places.address,
      api_paste_config: '/usr/share/cinder-common/api-paste.ini',
      resource_query_filters_file: '/etc/cinder/resource_filters.json',
      glance_api_servers: places.urlOf('glance'),
      enabled_backends: 'files',
      default_volume_type: 'standard',
    },
    files: {
      volume_backend_name: 'files',
      volume_driver: 'fakecloud.volume.Driver',
      volume_folder: places.inside('cinder', 'volumes'),
    },
    nova: account(places, 'nova'),
    service_user: { send_service_user_token: true, ...account(places, 'cinder') },
  }
}

function shared(places: Places, service: Service): Sections {
  return {
    database: database(places, service),
    oslo_concurrency: { lock_path: places.inside(service, 'locks') },
    // Heartbeats need threads that the services have not while they answer HTTP requests under uwsgi.
    oslo_messaging_rabbit: { heartbeat_timeout_threshold: 0, rabbit_retry_interval: 1 },
    oslo_messaging_notifications: { driver: 'noop' },
    keystone_authtoken: {
      www_authenticate_uri: places.authUrl,
      service_token_roles_required: true,
      service_token_roles: 'service',
      ...account(places, service),
    },
  }
}

/** With what a service logs in to the others. */
function account(places: Places, service: Service): Section {
  return {
    auth_type: 'password',
    auth_url: places.authUrl,
    username: service,
    password: SERVICE_PASSWORD,
    project_name: 'service',
    user_domain_name: 'Default',
    project_domain_name: 'Default',
    region_name: REGION,
  }
}

function database(places: Places, name: string): Section {
  return { connection: places.databaseUrl(name), max_pool_size: 5 }
}

function toIni(sections: Sections): string {
  return Object.entries(sections)
    .map(([name, section]) => {
      const lines = Object.entries(section).map(([key, value]) => `${key} = ${value}`)
      return [`[${name}]`, ...lines, ''].join('\n')
    })
    .join('\n')
}
