import { resolve } from 'node:path'
import { sdkVersion } from '@fogbow/plugin-sdk'
import type { Registry } from '@fogbow/registry'
import type { Command } from 'commander'
import { type CommandLine, connect, printResult } from '../command-line.ts'
import { fieldsOf, listOf } from '../site-client.ts'
import { formatFields, formatRows, type Row } from '../table.ts'
import { addDataDir, findDataDir } from './local.ts'
import { addChangeCommands } from './plugin-changes.ts'
import { addFindCommands } from './plugin-find.ts'
import { addOverviewCommands } from './plugin-overview.ts'

/** `fogbow plugin …`: at the site where somebody is logged in, else in the data directory of the site on this machine. */
export function addPluginCommands(program: Command, commandLine: CommandLine): void {
  const { terminal } = commandLine
  const group = program.command('plugin').description('Plugins of a site (administrators)')

  async function openRegistry(typed: { dataDir?: string }): Promise<Registry> {
    const { createRegistry } = await import('@fogbow/registry')
    const directory = resolve(await findDataDir(commandLine, typed), 'plugins')
    return createRegistry({ directory, sdkVersion })
  }

  addDataDir(group.command('list'))
    .description('List those of the site where you are logged in, else those installed here')
    .action(async (typed: { dataDir?: string }, command: Command) => {
      const site = await connect(commandLine, command)
      if (site.loggedIn && typed.dataDir === undefined) {
        const plugins = listOf(await site.send({ path: '/ras/admin/plugins' }))
        const columns = ['name', 'package', 'version', 'kinds', 'state', 'isolation', 'reason']
        printResult(commandLine, command, plugins, (rows) => formatRows(terminal, columns, rows))
        return
      }
      const installed = await (await openRegistry(typed)).list()
      printResult(commandLine, command, installed, (plugins) =>
        formatRows(
          terminal,
          ['name', 'version', 'kinds', 'source'],
          plugins.map(({ name, version, manifest, source }) => ({
            name,
            version,
            kinds: manifest.kinds,
            source,
          })),
        ),
      )
    })

  group
    .command('show')
    .description(
      'Show one plugin of the site where you are logged in: how isolated, what it may reach, what it uses',
    )
    .argument('<name>', 'Name in the configuration')
    .action(async (name: string, _typed, command: Command) => {
      const site = await connect(commandLine, command)
      const answer = await site.send({ path: pathOf(name) })
      printResult(commandLine, command, fieldsOf<Row>(answer), (plugin) =>
        formatFields(terminal, toPluginFields(plugin)),
      )
    })

  group
    .command('restart')
    .description('Restart a plugin of the site where you are logged in')
    .argument('<name>', 'Name in the configuration')
    .option('--original-isolation', 'Give a thread again to one that was moved to a process')
    .action(async (name: string, typed: { originalIsolation?: true }, command: Command) => {
      const site = await connect(commandLine, command)
      const body = { originalIsolation: typed.originalIsolation === true }
      await site.send({ method: 'POST', path: `${pathOf(name)}/restart`, body })
    })

  addFindCommands(group, commandLine)
  addChangeCommands(group, commandLine)
  addOverviewCommands(group, commandLine)
}

function pathOf(name: string): string {
  return `/ras/admin/plugins/${encodeURIComponent(name)}`
}

/** One line each for what belongs together; what is missing on the machine is not shortened. */
function toPluginFields({ isolation, isolationChoice, ...plugin }: Row): Row {
  const { wanted, why, minimum, missing, moved } = (isolationChoice ?? {}) as Row
  const { capabilities, storage, limits, usage, ...rest } = plugin
  const reach = (capabilities ?? {}) as Row
  return {
    ...rest,
    isolation,
    isolationWanted: wanted && why ? `${wanted}, because ${why}` : null,
    isolationMinimum: minimum,
    isolationMissing: missing,
    moved: moved && `${(moved as Row).at}: ${(moved as Row).reason}`,
    network: reach.network,
    addresses: reach.addresses,
    secrets: reach.secrets,
    storage,
    limits,
    usage,
  }
}
