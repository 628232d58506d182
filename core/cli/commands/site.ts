import type { Command } from 'commander'
import { type CommandLine, connect, printResult } from '../command-line.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { addPaging, readPages } from '../paging.ts'
import { fieldsOf, RefusedError, type SiteAnswer, type SiteClient } from '../site-client.ts'
import { formatFields, formatRows, type Row } from '../table.ts'
import { printable } from '../terminal.ts'

interface SiteView {
  clouds?: Row[]
  plugins?: Row[]
  [field: string]: unknown
}

/** What concerns a site as a whole: `fogbow status|members|audit|logins|backup`. */
export function addSiteCommands(program: Command, commandLine: CommandLine): void {
  const { terminal } = commandLine

  program
    .command('status')
    .description('Show a site, its clouds and its plugins; fails when it is not ready')
    .action(async (_typed, command: Command) => {
      const site = await connect(commandLine, command)
      const answer = await site.send({ path: '/site.json', open: true })
      const view = { ...fieldsOf<SiteView>(answer), ready: await isReady(site) }
      printResult(commandLine, command, view, ({ clouds = [], plugins = [], ...fields }) =>
        [
          formatFields(terminal, { url: site.url, ...fields }),
          formatRows(terminal, ['cloud', 'health', 'plugins'], clouds.map(toCloudRow)),
          formatRows(
            terminal,
            ['plugin', 'state', 'isolation', 'reason'],
            plugins.map(toPluginRow),
          ),
        ].join('\n\n'),
      )
      if (!view.ready) throw new CommandError(exitCodes.failed, `${site.url} is not ready`)
    })

  program
    .command('members')
    .description('Show the members of the federation and how they fare')
    .action(async (_typed, command: Command) => {
      const site = await connect(commandLine, command)
      const view = fieldsOf<{ members: (Row | string)[] }>(await readMembers(site))
      printResult(commandLine, command, view, ({ members }) =>
        members.every((member) => typeof member === 'string')
          ? members.map(printable).join('\n')
          : formatRows(terminal, memberColumns, members.map(toMemberRow)),
      )
    })

  addPaging(program.command('audit'))
    .description('Show who asked for what (administrators)')
    .option('--user <id>', 'Only what this user asked for')
    .option('--order <id>', 'Only what concerns this order')
    .action(async (typed, command: Command) => {
      const site = await connect(commandLine, command)
      const query = { userId: typed.user, orderId: typed.order }
      const entries = await readPages<Row>(site, terminal, typed, {
        path: '/ras/admin/audit',
        query,
      })
      const columns = [
        ...['timestamp', 'userId', 'operation', 'resourceType', 'orderId', 'response'],
        'detail',
      ]
      printResult(commandLine, command, entries, (rows) => formatRows(terminal, columns, rows))
    })

  addPaging(program.command('logins'))
    .description('Show who logged in and who could not (administrators)')
    .option('--user <name>', 'Only of this user name, as it was typed')
    .option('--source <name>', 'Only at this identity source')
    .option('--address <address>', 'Only from this address')
    .option('--outcome <outcome>', 'ok, refused, "locked out" or failed')
    .action(async (typed, command: Command) => {
      const site = await connect(commandLine, command)
      const { user: userName, source, address, outcome } = typed
      const query = { userName, source, address, outcome }
      const path = '/ras/admin/logins'
      const entries = await readPages<Row>(site, terminal, typed, { path, query })
      const columns = ['timestamp', 'userName', 'source', 'address', 'outcome', 'reason']
      printResult(commandLine, command, entries, (rows) => formatRows(terminal, columns, rows))
    })

  program
    .command('reload')
    .description(
      'Have the site read its configuration and its installed plugins again (administrators)',
    )
    .action(async (_typed, command: Command) => {
      const site = await connect(commandLine, command)
      await site.send({ method: 'POST', path: '/ras/admin/reload' })
    })

  program
    .command('backup')
    .description("Copy the site's store; prints where the copy is (administrators)")
    .action(async (_typed, command: Command) => {
      const site = await connect(commandLine, command)
      const answer = await site.send({ method: 'POST', path: '/ras/admin/backup' })
      printResult(commandLine, command, fieldsOf<{ path: string }>(answer), ({ path }) => path)
    })
}

const memberColumns = [
  'member',
  'dialect',
  'liveness',
  'latency',
  'lastSeen',
  'named by',
  'problem',
]

/** A site of the original service knows the names only. */
async function readMembers(site: SiteClient): Promise<SiteAnswer> {
  try {
    return await site.send({ path: '/ms/members/status', open: true })
  } catch (error) {
    if (!(error instanceof RefusedError) || error.status !== 404) throw error
    return site.send({ path: '/ms/members', open: true })
  }
}

function toMemberRow(member: Row | string): Row {
  if (typeof member === 'string') return { member }
  const { id, local, latencyMs, lastSeenAt, sources = [], ...shown } = member
  return {
    ...shown,
    member: local ? `${id} (this site)` : id,
    latency: typeof latencyMs === 'number' ? `${latencyMs.toFixed(1)} ms` : '',
    lastSeen: lastSeenAt,
    'named by': (sources as Row[]).map(({ source, statement }) =>
      statement === 'none' ? source : `${source} (${statement})`,
    ),
  }
}

async function isReady(site: SiteClient): Promise<boolean> {
  try {
    await site.send({ path: '/readyz', open: true })
    return true
  } catch (error) {
    if (error instanceof RefusedError) return false
    throw error
  }
}

function toCloudRow({ name, isDefault, health, plugins }: Row): Row {
  const served = [...new Set(Object.values((plugins ?? {}) as Record<string, string>))]
  return { cloud: isDefault ? `${name} (default)` : name, health, plugins: served }
}

function toPluginRow({ name, package: source, version, ...plugin }: Row): Row {
  return { ...plugin, plugin: `${name} (${source} ${version})` }
}
