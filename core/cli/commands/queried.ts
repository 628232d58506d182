import { type QueriedKind, queriedKinds } from '@fogbow/plugin-sdk'
import type { Command } from 'commander'
import { type CommandLine, connect, placementPath, printResult } from '../command-line.ts'
import { toKebabCase } from '../schema-options.ts'
import { fieldsOf, listOf, type SiteAnswer } from '../site-client.ts'
import { formatFields, formatRows, type Row } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface Placement {
  provider?: string
  cloud?: string
}

/** `fogbow <kind> list|show` for every kind that is read from a cloud. */
export function addQueriedCommands(program: Command, commandLine: CommandLine): void {
  for (const kind of queriedKinds) {
    const group = program.command(toKebabCase(kind.name)).description(kind.description)
    if (isListOfProvider(kind)) addListOfProvider(group, kind, commandLine)
    else if (kind.summary) {
      addList(group, kind, commandLine)
      addShowOne(group, kind, commandLine)
    } else addShow(group, kind, commandLine)
  }
}

/** A view that is nothing but a list under the kind's own path belongs to a provider, not to one of its clouds. */
function isListOfProvider(kind: QueriedKind): boolean {
  return kind.path in kind.view.properties
}

function addListOfProvider(group: Command, kind: QueriedKind, commandLine: CommandLine): void {
  group
    .command('list')
    .description(kind.description)
    .option('--provider <member>', 'Member of the federation; this site when absent')
    .action(async ({ provider }: Placement, command: Command) => {
      const site = await connect(commandLine, command)
      const suffix = provider === undefined ? '' : `/${encodeURIComponent(provider)}`
      const answer = await site.send({ path: `/ras/${kind.path}${suffix}` })
      printResult(commandLine, command, fieldsOf<Record<string, string[]>>(answer), (view) =>
        (view[kind.path] ?? []).join('\n'),
      )
    })
}

function addList(group: Command, kind: QueriedKind, commandLine: CommandLine): void {
  const columns = Object.keys(kind.summary?.properties ?? {})
  addPlacement(group.command('list'))
    .description(`List the ${kind.path} of a cloud`)
    .action(async (typed: Placement, command: Command) => {
      const answer = await read(kind, typed, '', commandLine, command)
      printResult(commandLine, command, listOf(answer), (rows) =>
        formatRows(commandLine.terminal, columns, rows),
      )
    })
}

function addShowOne(group: Command, kind: QueriedKind, commandLine: CommandLine): void {
  addPlacement(group.command('show'))
    .description(`Show one ${kind.title.toLowerCase()}`)
    .argument('<id>', 'As shown by list')
    .action(async (id: string, typed: Placement, command: Command) => {
      const answer = await read(kind, typed, `/${encodeURIComponent(id)}`, commandLine, command)
      printResult(commandLine, command, fieldsOf(answer), (view) =>
        formatFields(commandLine.terminal, view),
      )
    })
}

function addShow(group: Command, kind: QueriedKind, commandLine: CommandLine): void {
  addPlacement(group.command('show'))
    .description(kind.description)
    .action(async (typed: Placement, command: Command) => {
      const answer = await read(kind, typed, '', commandLine, command)
      printResult(commandLine, command, fieldsOf<Record<string, Row>>(answer), (view) =>
        formatMatrix(commandLine.terminal, kind, view),
      )
    })
}

function addPlacement(command: Command): Command {
  return command
    .option('--provider <member>', 'Member of the federation; this site when absent')
    .option('--cloud <cloud>', 'Cloud of that member; its default one when absent')
}

async function read(
  kind: QueriedKind,
  typed: Placement,
  suffix: string,
  commandLine: CommandLine,
  command: Command,
): Promise<SiteAnswer> {
  const site = await connect(commandLine, command)
  const where = await placementPath(site, typed)
  return site.send({ path: `/ras/${kind.path}/${where}${suffix}` })
}

/**
 * Objects of the same fields side by side: `{totalQuota: {vCPU: 8}, usedQuota: {vCPU: 2}}` → a line for `vCPU`.
 * Fields that are shown under a second name for older clients are left out.
 */
function formatMatrix(terminal: Terminal, kind: QueriedKind, view: Record<string, Row>): string {
  const columns = Object.keys(view)
  const schemas = Object.values(kind.view.properties) as { properties?: object }[]
  const names = new Set(schemas.flatMap(({ properties }) => Object.keys(properties ?? {})))
  const rows = [...names].map((name) => {
    const cells = columns.map((column) => [column, toAmount(view[column]?.[name])])
    return { name, ...Object.fromEntries(cells) }
  })
  return formatRows(terminal, ['name', ...columns], rows)
}

/** -1 stands for an amount that is unlimited or unknown. */
function toAmount(value: unknown): unknown {
  return value === -1 ? '-' : value
}
