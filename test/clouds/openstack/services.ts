import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { configurationOf } from './configuration.ts'
import { environment } from './environment.ts'
import type { Places, Service } from './places.ts'
import { accepts, type Processes } from './processes.ts'

/** Password of the user `admin`, who is there from the start. */
export const ADMIN_PASSWORD = 'admin'

/** Drivers without hardware, where Python finds them, with the entry point by which Neutron does. */
export function installDrivers(places: Places): void {
  const python = places.inside('python')
  cpSync(join(import.meta.dirname, 'drivers'), join(python, 'fakecloud'), { recursive: true })
  const metadata = places.inside('python', 'fakecloud-1.dist-info')
  writeFileSync(join(metadata, 'METADATA'), 'Metadata-Version: 2.1\nName: fakecloud\nVersion: 1\n')
  writeFileSync(
    join(metadata, 'entry_points.txt'),
    '[neutron.ml2.mechanism_drivers]\nfakecloud = fakecloud.network:Mechanism\n',
  )
}

export async function startBroker(places: Places, processes: Processes): Promise<void> {
  const { address, mapperPort } = places
  const home = places.inside('broker')
  const erlangAddress = address.replaceAll('.', ',')
  writeFileSync(
    join(home, 'rabbitmq.conf'),
    [
      `listeners.tcp.default = ${address}:${places.brokerPort}`,
      'default_user = openstack',
      'default_pass = openstack',
      'vm_memory_high_watermark.absolute = 512MB',
      'disk_free_limit.absolute = 64MB',
      '',
    ].join('\n'),
  )
  processes.start('epmd', ['epmd', '-address', address, '-port', String(mapperPort)])
  await processes.until('epmd', () => accepts('127.0.0.1', mapperPort))
  processes.start('rabbitmq', ['/usr/lib/rabbitmq/bin/rabbitmq-server'], {
    HOME: home,
    RABBITMQ_NODENAME: `cloud${mapperPort}@localhost`,
    RABBITMQ_MNESIA_BASE: join(home, 'data'),
    RABBITMQ_LOG_BASE: join(home, 'log'),
    RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'plugins'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_DIST_PORT: String(places.distributionPort),
    ERL_EPMD_PORT: String(mapperPort),
    // The shell that would stop it in its own way is replaced by the server itself.
    RUNNING_UNDER_SYSTEMD: 'true',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {${erlangAddress}}`,
  })
}

export function untilBroker(places: Places, processes: Processes): Promise<void> {
  return processes.until('rabbitmq', () => accepts(places.address, places.brokerPort))
}

/** Makes the keys of tokens, the user `admin`, and the catalogue entry of the identity service itself. */
export async function bootstrapIdentity(places: Places): Promise<void> {
  for (const folder of ['keys', 'credential-keys'])
    for (const number of ['0', '1']) {
      const key = randomBytes(32).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
      writeFileSync(join(places.inside('keystone', folder), number), key)
    }
  const urls = ['public', 'internal', 'admin'].flatMap((kind) => [
    `--bootstrap-${kind}-url`,
    places.authUrl,
  ])
  const options = ['--bootstrap-password', ADMIN_PASSWORD, '--bootstrap-region-id', 'RegionOne']
  const file = configurationOf(places, 'keystone')
  const args = ['--config-file', file, 'bootstrap', ...options, ...urls]
  await promisify(execFile)('keystone-manage', args, { env: environment(places) })
}

/** Services that answer HTTP requests under uwsgi, with the file that is their application. */
const applications = {
  keystone: '/usr/bin/keystone-wsgi-public',
  placement: '/usr/bin/placement-api',
  glance: '/usr/bin/glance-wsgi-api',
  nova: '/usr/bin/nova-api-wsgi',
  cinder: '/usr/bin/cinder-wsgi',
} as const

/** Threads of one process; the other services are written for one request at a time. */
const threads: Partial<Record<Service, number>> = { keystone: 4, placement: 2 }

/** @param env - settings that differ from those in its file, as oslo.config reads them: `OS_GROUP__OPTION` */
export function startApi(
  places: Pick<Places, 'address' | 'portOf' | 'inside'>,
  processes: Processes,
  service: Service,
  env: Readonly<Record<string, string>> = {},
): void {
  if (service === 'neutron') {
    const file = configurationOf(places, 'neutron')
    processes.start('neutron', ['neutron-server', '--config-file', file])
    return
  }
  const folder = places.inside(service)
  const options: Record<string, string> = {
    plugin: 'python3',
    'http-socket': `${places.address}:${places.portOf(service)}`,
    'wsgi-file': applications[service],
    processes: '1',
    threads: String(threads[service] ?? 1),
    listen: '100',
    'buffer-size': '65535',
    // A kept connection would hold the only process.
    'add-header': 'Connection: close',
    ...(service === 'cinder' && {
      pyargv: `--config-file ${configurationOf(places, 'cinder')}`,
    }),
  }
  const flags = ['master', 'enable-threads', 'need-app', 'die-on-term', 'no-orphans']
  const args = [
    ...[...flags, 'disable-logging'].map((flag) => `--${flag}`),
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
  ]
  processes.start(service, ['uwsgi', ...args], {
    [`OS_${service.toUpperCase()}_CONFIG_DIR`]: folder,
    ...(service === 'keystone' && { OS_KEYSTONE_CONFIG_FILES: 'keystone.conf' }),
    ...env,
  })
}

export function untilApi(
  places: Pick<Places, 'urlOf'>,
  processes: Processes,
  service: Service,
): Promise<void> {
  return processes.until(service, () => answers(places.urlOf(service)))
}

/** uwsgi listens long before the application behind it is loaded, and whether it can be is not said before. */
async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status < 500
  } catch {
    return false
  }
}

const daemons = {
  'nova-conductor': { module: 'nova.cmd.conductor', service: 'nova' },
  'nova-scheduler': { module: 'nova.cmd.scheduler', service: 'nova' },
  'nova-compute': { module: 'nova.cmd.compute', service: 'nova' },
  'cinder-scheduler': { module: 'cinder.cmd.scheduler', service: 'cinder' },
  'cinder-volume': { module: 'cinder.cmd.volume', service: 'cinder' },
} as const

/**
 * Services behind the message queue, by their Python modules: the packages with their commands would bring a hypervisor
 * and nothing else.
 */
export function startDaemon(
  places: Places,
  processes: Processes,
  name: keyof typeof daemons,
): void {
  const { module, service } = daemons[name]
  // Nova takes drivers of computes from its own package only.
  const widen = `import nova.virt; nova.virt.__path__.append(${JSON.stringify(join(places.folder, 'python'))})`
  const program = [
    'import sys',
    `sys.argv[0] = '${name}'`,
    ...(name === 'nova-compute' ? [widen] : []),
    `from ${module} import main`,
    'sys.exit(main())',
  ].join('; ')
  processes.start(name, [
    'python3',
    '-c',
    program,
    '--config-file',
    configurationOf(places, service),
  ])
}
