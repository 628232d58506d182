import { pluginKinds } from '@fogbow/plugin-sdk'
import type { FoundPlugin, PluginAbout, SearchQuery } from '@fogbow/registry'
import { type Command, Option } from 'commander'
import { type CommandLine, connect, printResult } from '../command-line.ts'
import { fieldsOf } from '../site-client.ts'
import { formatFields, formatRows, type Row } from '../table.ts'
import { printable } from '../terminal.ts'
import { addDataDir } from './local.ts'
import { openDesk } from './plugin-desk.ts'

/** `fogbow plugin search`, `about`, `reference`: what there is, before anything is installed. */
export function addFindCommands(group: Command, commandLine: CommandLine): void {
  const { terminal } = commandLine

  addDataDir(group.command('search'))
    .description('Search registries and catalogues for plugins')
    .argument('[words...]', 'All of them have to occur')
    .addOption(new Option('--kind <kind>', 'Only of this kind').choices(pluginKinds))
    .option('--source <name>', 'Only in this registry or catalogue')
    .action(async (words: string[], typed: Row, command: Command) => {
      const desk = await openDesk(commandLine, command, typed)
      try {
        const { kind, source } = typed as SearchQuery
        const text = words.join(' ')
        const query = { ...(text && { text }), ...(kind && { kind }), ...(source && { source }) }
        const found = await desk.search(query)
        for (const { source, problem } of found.problems)
          terminal.notice(printable(`${source}: ${problem}`))
        printResult(commandLine, command, found, ({ items }) =>
          items.length === 0
            ? 'Nothing was found'
            : formatRows(terminal, columns, items.map(toSearchRow)),
        )
      } finally {
        await desk.close()
      }
    })

  addDataDir(group.command('about'))
    .description('Show one package: readme, changes, what it would reach, weaknesses, licence')
    .argument('<package>', 'Npm name; with @version for another one than the newest that suits')
    .option('--source <name>', 'Of this registry')
    .action(async (text: string, typed: Row, command: Command) => {
      const desk = await openDesk(commandLine, command, typed)
      try {
        const { source } = typed as { source?: string }
        const at = text.indexOf('@', 1)
        const [name, version] = at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
        const options = { ...(version && { version }), ...(source && { source }) }
        const about = await desk.about(name, options)
        printResult(commandLine, command, about, (shown) => toAboutText(commandLine, shown))
      } finally {
        await desk.close()
      }
    })

  group
    .command('reference')
    .description('Show what a plugin of the site offers and what can be configured, in Markdown')
    .argument('<name>', 'Name in the configuration')
    .action(async (name: string, _typed, command: Command) => {
      const site = await connect(commandLine, command)
      const path = `/ras/admin/plugins/${encodeURIComponent(name)}/reference`
      const reference = fieldsOf<{ markdown: string }>(await site.send({ path }))
      printResult(commandLine, command, reference, ({ markdown }) => markdown.trimEnd())
    })
}

const columns = ['name', 'version', 'kinds', 'publisher', 'source', 'note', 'description']

function toSearchRow(found: FoundPlugin): Row {
  return { ...found, version: found.version ?? 'none suits', note: notesOf(found).join('; ') }
}

function notesOf(found: FoundPlugin): string[] {
  const { installed, resembles, unsuitable, vetting, deprecated } = found
  return [
    installed ? `installed ${installed}` : '',
    resembles ? `looks like ${resembles}!` : '',
    vetting ? `vetting ${vetting}` : '',
    deprecated ? `deprecated${deprecated.successor ? `, see ${deprecated.successor}` : ''}` : '',
    unsuitable && found.newest ? `${found.newest}: ${unsuitable}` : '',
  ].filter(Boolean)
}

function toAboutText({ terminal }: CommandLine, about: PluginAbout): string {
  const { network = [], secrets = [], storage } = about.manifest.capabilities ?? {}
  const fields = formatFields(terminal, {
    name: about.name,
    version: about.version ?? 'none suits this site',
    newest: about.newest,
    unsuitable: about.unsuitable,
    installed: about.installed,
    description: about.description,
    kinds: about.kinds,
    license: about.license,
    size: about.size === undefined ? '' : `${Math.ceil(about.size / 1024)} KiB`,
    publisher: about.publisher,
    publishedAt: about.publishedAt,
    source: about.source,
    homepage: about.homepage,
    network,
    secrets,
    storage: storage ? 'yes' : '',
    versions: about.versions.slice(0, 10).map(({ version, suits }) => version + (suits ? '' : '!')),
    vetting: about.vetting,
    resembles: about.resembles && `${about.resembles}, which is better known: look twice`,
    deprecated: about.deprecated?.reason,
  })
  const weaknesses = about.advisories.map(
    ({ severity, id, title }) => `${severity} ${id}: ${title}`,
  )
  const screenshots = about.screenshots.map(({ url, caption }) => `${url}  ${caption}`.trim())
  return [
    fields,
    ...section(terminal.paint('bold', 'WEAKNESSES'), weaknesses.join('\n')),
    ...section(terminal.paint('bold', 'SCREENSHOTS'), screenshots.join('\n')),
    ...section(terminal.paint('bold', 'README'), about.readme),
    ...section(terminal.paint('bold', 'CHANGES'), about.changelog),
  ].join('\n')
}

/** Texts of strangers, line by line. */
function section(title: string, text: string): string[] {
  if (!text.trim()) return []
  return ['', title, ...text.trim().split('\n').map(printable)]
}
