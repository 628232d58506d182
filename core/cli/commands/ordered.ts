import { randomUUID } from 'node:crypto'
import { type OrderedKind, orderedKinds, type PowerAction } from '@fogbow/plugin-sdk'
import type { Command } from 'commander'
import { type CommandLine, connect, placementPath, printResult } from '../command-line.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { addPaging, readPages } from '../paging.ts'
import { assertRequest, collect, optionsOf, readRequest, toKebabCase } from '../schema-options.ts'
import { fieldsOf, listOf, type SiteClient } from '../site-client.ts'
import { formatFields, formatRows, type Row } from '../table.ts'
import { timeoutOption, waitFor, waitOption } from '../wait.ts'

interface WaitOptions {
  wait?: boolean
  timeout: number
}

/** `fogbow <kind> create|list|show|…` for every kind that is ordered. */
export function addOrderedCommands(program: Command, commandLine: CommandLine): void {
  for (const kind of orderedKinds) {
    const group = program.command(toKebabCase(kind.name)).description(kind.description)
    const commands = createKindCommands(kind, commandLine)
    commands.addCreate(group)
    commands.addList(group)
    commands.addShow(group)
    commands.addDelete(group)
    commands.addWait(group)
    for (const action of kind.actions) commands.addAction(group, action)
    if (kind.hasSnapshot) commands.addSnapshot(group)
    commands.addHistory(group)
    commands.addDelegation(group)
    if (kind.hasAllocation) commands.addAllocation(group)
  }
}

function createKindCommands(kind: OrderedKind, commandLine: CommandLine) {
  const { terminal } = commandLine
  const title = kind.title.toLowerCase()
  const path = `/ras/${kind.path}`
  const pathOf = (id: string) => `${path}/${encodeURIComponent(id)}`

  async function wait(site: SiteClient, id: string, until: 'ready' | 'gone', timeoutS: number) {
    await waitFor({ site, terminal, kind, id, until, timeoutMs: timeoutS * 1000 })
  }

  async function show(site: SiteClient, id: string, command: Command) {
    const shown = fieldsOf(await site.send({ path: pathOf(id) }))
    printResult(commandLine, command, shown, (instance) =>
      formatFields(terminal, withoutSecondNames(kind, instance)),
    )
  }

  /** The same for several orders: one that is refused does not keep the others from it. */
  async function forEach(ids: string[], act: (id: string) => Promise<void>) {
    const failures: unknown[] = []
    for (const id of ids) {
      try {
        await act(id)
        terminal.print(id)
      } catch (error) {
        if (ids.length === 1 || !isAboutOneOrder(error)) throw error
        failures.push(error)
        terminal.notice(`${id}: ${error.message}`)
      }
    }
    if (failures.length > 0)
      throw new CommandError(exitCodes.failed, `${failures.length} of ${ids.length} failed`)
  }

  return {
    addCreate(group: Command) {
      const propertyOptions = optionsOf(kind.request, kind.aliases)
      const create = group.command('create').description(`Order one ${title}; prints its id`)
      for (const { options } of propertyOptions) for (const each of options) create.addOption(each)
      create.addOption(waitOption()).addOption(timeoutOption())
      create.action(async (typed: WaitOptions & Record<string, unknown>, command: Command) => {
        const request = await readRequest(propertyOptions, typed)
        await assertRequest(kind.request, propertyOptions, request)
        const site = await connect(commandLine, command)
        const idempotencyKey = randomUUID()
        const created = { method: 'POST', path, body: request, idempotencyKey } as const
        const { id } = fieldsOf<{ id: string }>(await site.send(created))
        const json = Boolean(command.optsWithGlobals().json)
        if (!json) terminal.print(id)
        else if (!typed.wait) printResult(commandLine, command, { id }, () => '')
        if (!typed.wait) return
        await wait(site, id, 'ready', typed.timeout)
        if (json) await show(site, id, command)
      })
    },

    addList(group: Command) {
      addPaging(group.command('list'))
        .description('List your orders of this kind')
        .option('--state <state>', 'Only in this state (repeatable)', collect)
        .option('--name <text>', 'Only with this in their name')
        .option('--provider <member>', 'Only at this member')
        .option('--cloud <cloud>', 'Only in this cloud')
        .action(async (typed, command: Command) => {
          const { state, name, provider, cloud } = typed
          const query = { state, name, provider, cloudName: cloud }
          const site = await connect(commandLine, command)
          const entries = await readPages<Row>(site, terminal, typed, {
            path: `${path}/status`,
            query,
          })
          printResult(commandLine, command, entries, (rows) =>
            formatRows(terminal, statusColumns(kind), rows.map(toStatusRow)),
          )
        })
    },

    addShow(group: Command) {
      group
        .command('show')
        .description(`Show one ${title}`)
        .argument('<id>', 'Order id')
        .action(async (id: string, _typed, command: Command) =>
          show(await connect(commandLine, command), id, command),
        )
    },

    addDelete(group: Command) {
      group
        .command('delete')
        .description('Ask for deletion; prints the ids accepted')
        .argument('<ids...>', 'Order ids')
        .addOption(waitOption())
        .addOption(timeoutOption())
        .action(async (ids: string[], typed: WaitOptions, command: Command) => {
          const site = await connect(commandLine, command)
          const accepted: string[] = []
          try {
            await forEach(ids, async (id) => {
              await site.send({ method: 'DELETE', path: pathOf(id) })
              accepted.push(id)
            })
          } finally {
            for (const id of typed.wait ? accepted : []) await wait(site, id, 'gone', typed.timeout)
          }
        })
    },

    addWait(group: Command) {
      group
        .command('wait')
        .description('Wait until it is ready, or gone')
        .argument('<id>', 'Order id')
        .option('--deleted', 'Wait until it is gone')
        .addOption(timeoutOption())
        .action(
          async (id: string, typed: { deleted?: true; timeout: number }, command: Command) => {
            const site = await connect(commandLine, command)
            await wait(site, id, typed.deleted ? 'gone' : 'ready', typed.timeout)
          },
        )
    },

    addAction(group: Command, action: PowerAction) {
      group
        .command(action.name)
        .description(action.title)
        .argument('<ids...>', 'Order ids')
        .action(async (ids: string[], _typed, command: Command) => {
          const site = await connect(commandLine, command)
          await forEach(ids, async (id) => {
            const idempotencyKey = randomUUID()
            await site.send({
              method: 'POST',
              path: `${pathOf(id)}/${action.name}`,
              idempotencyKey,
            })
          })
        })
    },

    addSnapshot(group: Command) {
      group
        .command('snapshot')
        .description('Save its disk as an image')
        .argument('<id>', 'Order id')
        .requiredOption('--name <text>', 'Name of the image')
        .action(async (id: string, { name }: { name: string }, command: Command) => {
          const site = await connect(commandLine, command)
          const idempotencyKey = randomUUID()
          await site.send({
            method: 'POST',
            path: `${pathOf(id)}/snapshot`,
            body: { name },
            idempotencyKey,
          })
        })
    },

    addHistory(group: Command) {
      group
        .command('history')
        .description('Show the states it went through')
        .argument('<id>', 'Order id')
        .action(async (id: string, _typed, command: Command) => {
          const site = await connect(commandLine, command)
          const steps = listOf(await site.send({ path: `${pathOf(id)}/history` }))
          printResult(commandLine, command, steps, (rows) =>
            formatRows(terminal, ['timestamp', 'state', 'message'], rows),
          )
        })
    },

    addDelegation(group: Command) {
      const ask = async (
        id: string,
        command: Command,
        request: { method?: 'POST' | 'DELETE'; query?: Record<string, string>; body?: object },
      ) => {
        const site = await connect(commandLine, command)
        const shown = fieldsOf(await site.send({ path: `${pathOf(id)}/delegation`, ...request }))
        printResult(commandLine, command, shown, (fields) => formatFields(terminal, fields))
      }
      group
        .command('delegation')
        .description('Show what lets the site work on it while its owner is away')
        .argument('<id>', 'Order id')
        .action((id: string, _typed, command: Command) => ask(id, command, {}))
      group
        .command('revoke')
        .description('Let nothing be done for it any more; what is there stays')
        .argument('<id>', 'Order id')
        .option('--reason <text>', 'Kept with the order')
        .action((id: string, { reason }: { reason?: string }, command: Command) =>
          ask(id, command, { method: 'DELETE', ...(reason && { query: { reason } }) }),
        )
      group
        .command('grant')
        .description('Let work on it go on')
        .argument('<id>', 'Order id')
        .option('--until <time>', 'When it ends, such as 2030-01-31T12:00:00Z')
        .action((id: string, { until }: { until?: string }, command: Command) =>
          ask(id, command, { method: 'POST', body: until ? { expiresAt: until } : {} }),
        )
    },

    addAllocation(group: Command) {
      group
        .command('allocation')
        .description('Show what you use in a cloud')
        .option('--provider <member>', 'Member of the federation; this site when absent')
        .option('--cloud <cloud>', 'Cloud of that member; its default one when absent')
        .action(async (typed: { provider?: string; cloud?: string }, command: Command) => {
          const site = await connect(commandLine, command)
          const where = await placementPath(site, typed)
          const used = fieldsOf(await site.send({ path: `${path}/allocation/${where}` }))
          printResult(commandLine, command, used, (fields) => formatFields(terminal, fields))
        })
    },
  }
}

/** Names are shown for kinds that have them. */
function statusColumns(kind: OrderedKind): string[] {
  const named = kind.request.properties.name ? ['name'] : []
  return ['id', ...named, 'state', 'provider', 'cloud']
}

function toStatusRow({ instanceId, instanceName, state, provider, cloudName }: Row): Row {
  return { id: instanceId, name: instanceName, state, provider, cloud: cloudName }
}

function withoutSecondNames(kind: OrderedKind, instance: Row): Row {
  const seconds = Object.values(kind.shownAlso)
  return Object.fromEntries(Object.entries(instance).filter(([name]) => !seconds.includes(name)))
}

function isAboutOneOrder(error: unknown): error is CommandError {
  return error instanceof CommandError && error.exitCode === exitCodes.failed
}
