import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { sdkVersion } from '@fogbow/plugin-sdk'
import type { Registry } from '@fogbow/registry'
import type { Command } from 'commander'
import { type CommandLine, connect, printResult } from '../command-line.ts'
import { listOf } from '../site-client.ts'
import { formatRows } from '../table.ts'
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
    .command('restart')
    .description('Restart a plugin of the site where you are logged in')
    .argument('<name>', 'Name in the configuration')
    .action(async (name: string, _typed, command: Command) => {
      const site = await connect(commandLine, command)
      const path = `/ras/admin/plugins/${encodeURIComponent(name)}/restart`
      await site.send({ method: 'POST', path })
    })
}

/** Paths are made absolute; whatever is no file here is an npm specifier. */
function toSource(source: string): string {
  return existsSync(source) ? resolve(source) : source
}
