import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { sdkVersion } from '@fogbow/plugin-sdk'
import type { Registry } from '@fogbow/registry'
import type { Command } from 'commander'
import { type CommandLine, connect, printResult } from '../command-line.ts'
import { fieldsOf, listOf } from '../site-client.ts'
import { formatFields, formatRows, type Row } from '../table.ts'
import { addDataDir, findDataDir } from './local.ts'

/** `fogbow plugin …`: `add` and `remove` change the store on this machine, the others ask the running site. */
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

  addDataDir(group.command('add'))
    .description('Install a plugin, or another version of it, for the site on this machine')
    .argument('<source>', 'Folder, tarball or npm package')
    .action(async (source: string, typed: { dataDir?: string }, command: Command) => {
      const registry = await openRegistry(typed)
      const plugin = await registry.install(toSource(source))
      printResult(commandLine, command, plugin, ({ name, version }) => `${name}@${version}`)
      terminal.notice('A running site takes it when its configuration is reloaded')
    })

  addDataDir(group.command('remove'))
    .description('Uninstall a plugin from the site on this machine')
    .argument('<name>', 'Npm name of the package')
    .action(async (name: string, typed: { dataDir?: string }, command: Command) => {
      const registry = await openRegistry(typed)
      const plugin = await registry.remove(name)
      printResult(commandLine, command, plugin, ({ version }) => `${name}@${version}`)
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

/** Paths are made absolute; whatever is no file here is an npm specifier. */
function toSource(source: string): string {
  return existsSync(source) ? resolve(source) : source
}
