import { randomUUID } from 'node:crypto'
import { type NestedKind, nestedKinds, type OrderedKind, orderedKind } from '@fogbow/plugin-sdk'
import type { Command } from 'commander'
import { type CommandLine, connect, printResult } from '../command-line.ts'
import { usage } from '../exit.ts'
import { assertRequest, optionsOf, readRequest, toKebabCase } from '../schema-options.ts'
import { fieldsOf, listOf } from '../site-client.ts'
import { formatRows } from '../table.ts'

/** `fogbow <kind> create|list|delete` for every kind that lives inside an ordered one. */
export function addNestedCommands(program: Command, commandLine: CommandLine): void {
  for (const kind of nestedKinds) {
    const group = program.command(toKebabCase(kind.name)).description(kind.description)
    addCreate(group, kind, commandLine)
    addList(group, kind, commandLine)
    addDelete(group, kind, commandLine)
  }
}

function addCreate(group: Command, kind: NestedKind, commandLine: CommandLine): void {
  const propertyOptions = optionsOf(kind.request, kind.aliases)
  const create = addParents(group.command('create'), kind)
  for (const { options } of propertyOptions) for (const each of options) create.addOption(each)
  create
    .description(`Create a ${kind.title.toLowerCase()}; prints its id`)
    .action(async (typed: Record<string, unknown>, command: Command) => {
      const path = pathIn(kind, typed)
      const body = await readRequest(propertyOptions, typed)
      await assertRequest(kind.request, propertyOptions, body)
      const site = await connect(commandLine, command)
      const answer = await site.send({ method: 'POST', path, body, idempotencyKey: randomUUID() })
      printResult(commandLine, command, fieldsOf<{ id: string }>(answer), ({ id }) => id)
    })
}

function addList(group: Command, kind: NestedKind, commandLine: CommandLine): void {
  addParents(group.command('list'), kind)
    .description(`List those of one ${parentsOf(kind).map(lowerTitle).join(' or ')}`)
    .action(async (typed: Record<string, unknown>, command: Command) => {
      const path = pathIn(kind, typed)
      const site = await connect(commandLine, command)
      printResult(commandLine, command, listOf(await site.send({ path })), (rows) =>
        formatRows(commandLine.terminal, Object.keys(kind.view.properties), rows),
      )
    })
}

function addDelete(group: Command, kind: NestedKind, commandLine: CommandLine): void {
  addParents(group.command('delete'), kind)
    .description('Delete one, or several; prints the ids deleted')
    .argument('<ids...>', 'As shown by list')
    .action(async (ids: string[], typed: Record<string, unknown>, command: Command) => {
      const path = pathIn(kind, typed)
      const site = await connect(commandLine, command)
      for (const id of ids) {
        await site.send({ method: 'DELETE', path: `${path}/${encodeURIComponent(id)}` })
        commandLine.terminal.print(id)
      }
    })
}

function parentsOf(kind: NestedKind): OrderedKind[] {
  return kind.parents.map(orderedKind).filter((parent) => parent !== undefined)
}

function lowerTitle(kind: OrderedKind): string {
  return kind.title.charAt(0).toLowerCase() + kind.title.slice(1)
}

function addParents(command: Command, kind: NestedKind): Command {
  for (const parent of parentsOf(kind))
    command.option(`--${toKebabCase(parent.name)} <id>`, `Order id of the ${lowerTitle(parent)}`)
  return command
}

/** Exactly one parent must be named. */
function pathIn(kind: NestedKind, typed: Record<string, unknown>): string {
  const named = parentsOf(kind).filter((parent) => typed[parent.name] !== undefined)
  const [parent] = named
  if (!parent || named.length > 1) {
    const flags = parentsOf(kind).map((each) => `--${toKebabCase(each.name)}`)
    throw usage(`Exactly one of ${flags.join(' and ')} must be given`)
  }
  return `/ras/${parent.path}/${encodeURIComponent(String(typed[parent.name]))}/${kind.path}`
}
