import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { COMPUTE_HOST, configurationOf } from './configuration.ts'
import { environment } from './environment.ts'
import type { Places } from './places.ts'
import type { Processes } from './processes.ts'

const run = promisify(execFile)

const names = [
  'keystone',
  'placement',
  'glance',
  'nova_api',
  'nova',
  'nova_cell0',
  'neutron',
  'cinder',
]

/** What decides how empty databases look: another version migrates them to something else. */
const makers = ['python3-keystone', 'placement-common', 'glance-common', 'nova-common']
const packages = [...makers, 'neutron-common', 'cinder-common', 'mariadb-server-core']

/**
 * Starts MariaDB with the migrated, empty databases of all services. The first time the services' own migrations make
 * them, which takes a minute or two; a copy is kept beside other temporary files for the next time.
 */
export async function startDatabases(places: Places, processes: Processes): Promise<void> {
  const template = join(tmpdir(), `fogbow-openstack-databases-${versionOfPackages()}`)
  const data = join(places.folder, 'database')
  if (existsSync(template)) cpSync(template, data, { recursive: true })
  else await makeDatabases(places, processes, data, template)
  await startMariadb(places, processes, data)
  makeCells(places)
}

/** Where Nova keeps servers, and which host is there: its own discovery would look only now and then. */
function makeCells(places: Places): void {
  const cells = [
    ['00000000-0000-0000-0000-000000000000', 'cell0', 'none:///', 'nova_cell0'],
    [crypto.randomUUID(), 'cell1', places.brokerUrl, 'nova'],
  ].map(
    ([id, name, url, database = '']) =>
      `('${id}', '${name}', '${url}', '${places.databaseUrl(database)}', 0)`,
  )
  sql(
    places,
    `use nova_api;
    insert into cell_mappings (uuid, name, transport_url, database_connection, disabled) values ${cells};
    insert into host_mappings (host, cell_id) select '${COMPUTE_HOST}', id from cell_mappings where name = 'cell1'`,
  )
}

async function makeDatabases(
  places: Places,
  processes: Processes,
  data: string,
  template: string,
): Promise<void> {
  const options = ['--no-defaults', '--user=root', `--datadir=${data}`, '--skip-test-db']
  await run('mariadb-install-db', [...options, '--auth-root-authentication-method=socket'])
  await startMariadb(places, processes, data)
  const made = names.map(
    (name) =>
      `create database ${name} character set utf8; grant all on ${name}.* to openstack@localhost;`,
  )
  sql(places, `create user openstack@localhost identified by 'openstack'; ${made.join(' ')}`)
  await migrate(places)
  await processes.stop('mariadb')
  // Only a complete copy gets the name under which it is looked for.
  const copy = `${template}.${process.pid}`
  cpSync(data, copy, { recursive: true })
  if (existsSync(template)) rmSync(copy, { recursive: true })
  else renameSync(copy, template)
}

/** Two lanes, one for each core. */
async function migrate(places: Places): Promise<void> {
  const of = (service: Parameters<typeof configurationOf>[1]) => [
    '--config-file',
    configurationOf(places, service),
  ]
  const cell0 = ['--config-file', join(places.inside('nova'), 'cell0.conf')]
  const lanes = [
    [
      ['keystone-manage', ...of('keystone'), 'db_sync'],
      ['placement-manage', ...of('placement'), 'db', 'sync'],
      ['nova-manage', ...of('nova'), 'api_db', 'sync'],
      ['nova-manage', ...of('nova'), ...cell0, 'db', 'sync', '--local_cell'],
      ['nova-manage', ...of('nova'), 'db', 'sync', '--local_cell'],
    ],
    [
      ['neutron-db-manage', ...of('neutron'), 'upgrade', 'heads'],
      ['glance-manage', ...of('glance'), 'db_sync'],
      ['cinder-manage', ...of('cinder'), 'db', 'sync'],
    ],
  ]
  await Promise.all(
    lanes.map(async (lane) => {
      for (const [command = '', ...args] of lane)
        await run(command, args, { env: environment(places), maxBuffer: 1 << 26 })
    }),
  )
}

async function startMariadb(places: Places, processes: Processes, data: string): Promise<void> {
  const file = join(places.folder, 'mariadb.cnf')
  const settings = [
    'user = root',
    `datadir = ${data}`,
    `socket = ${places.databaseSocket}`,
    'skip-networking',
    'skip-log-bin',
    'skip-name-resolve',
    'performance-schema = off',
    'max-connections = 400',
    'character-set-server = utf8',
    'innodb-log-file-size = 16M',
    // What a crash of the machine would lose is lost anyway.
    'innodb-flush-log-at-trx-commit = 0',
    'innodb-doublewrite = off',
  ]
  writeFileSync(file, ['[mariadbd]', ...settings, ''].join('\n'))
  mkdirSync(data, { recursive: true })
  processes.start('mariadb', ['mariadbd', `--defaults-file=${file}`])
  await processes.until('mariadb', async () => {
    try {
      sql(places, 'select 1')
      return true
    } catch {
      return false
    }
  })
}

export function sql(places: Places, statements: string): void {
  execFileSync('mariadb', ['-S', places.databaseSocket, '-u', 'root', '-e', statements], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

function versionOfPackages(): string {
  const versions = execFileSync('dpkg-query', ['-W', ...packages])
  return createHash('sha256').update(versions).digest('hex').slice(0, 16)
}
