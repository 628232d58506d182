import { type Command, Option } from 'commander'
import { type CommandLine, connect, printResult } from '../command-line.ts'
import { usage } from '../exit.ts'
import { listOf } from '../site-client.ts'
import { formatRows, type Row } from '../table.ts'
import { addDataDir } from './local.ts'
import { openDesk } from './plugin-desk.ts'

const base = '/ras/admin/marketplace'

/** `fogbow plugin generations`, `drift`, `refresh`, `trials`, `promote`, `revert`, `revocations`, `revoke`, `unrevoke`, `bundle`. */
export function addOverviewCommands(group: Command, commandLine: CommandLine): void {
  const { terminal } = commandLine

  addDataDir(group.command('generations'))
    .description('List what was installed when, by whom and why; the newest first')
    .action(async (typed: Row, command: Command) => {
      const desk = await openDesk(commandLine, command, typed)
      try {
        printResult(commandLine, command, await desk.generations(), (generations) => {
          const isDamaged = generations.some(({ problem }) => problem !== undefined)
          const columns = [
            'number',
            'at',
            'by',
            'change',
            'reason',
            ...(isDamaged ? ['problem'] : []),
          ]
          return formatRows(terminal, columns, generations.map(toRow))
        })
      } finally {
        await desk.close()
      }
    })

  addDataDir(group.command('drift'))
    .description('Say where configuration, installed packages and what runs differ')
    .option('--refresh', 'Ask registries for newer versions, too')
    .action(async (typed: Row, command: Command) => {
      const desk = await openDesk(commandLine, command, typed)
      try {
        printResult(
          commandLine,
          command,
          await desk.drift({ refresh: typed.refresh === true }),
          (found) =>
            found.length === 0
              ? 'No difference'
              : formatRows(
                  terminal,
                  ['kind', 'subject', 'message', 'remedy'],
                  found as unknown as Row[],
                ),
        )
      } finally {
        await desk.close()
      }
    })

  addDataDir(group.command('refresh'))
    .description('Read catalogues and revocation lists again')
    .action(async (typed: Row, command: Command) => {
      const desk = await openDesk(commandLine, command, typed)
      try {
        printResult(commandLine, command, await desk.refresh(), (problems) =>
          problems.length === 0 ? '' : formatRows(terminal, ['source', 'problem'], problems),
        )
      } finally {
        await desk.close()
      }
    })

  addTrialCommands(group, commandLine)
  addRevocationCommands(group, commandLine)

  addDataDir(group.command('bundle'))
    .description(
      'Write packages with all that they need into one file, for a site without a network',
    )
    .argument('<file>', 'To be written')
    .argument('<packages...>', 'Npm specifiers')
    .action(
      async (file: string, packages: string[], { dataDir }: { dataDir?: string }, command) => {
        const { openLocalMarketplace } = await import('../../marketplace/open-local-marketplace.ts')
        const source = { env: commandLine.env, cwd: process.cwd(), ...(dataDir && { dataDir }) }
        const { marketplace, close } = await openLocalMarketplace(source)
        try {
          const carried = await marketplace.exportBundle(packages, file)
          printResult(commandLine, command, carried, (rows) =>
            formatRows(terminal, ['name', 'version', 'integrity'], rows as unknown as Row[]),
          )
        } finally {
          await close()
        }
      },
    )
}

function addTrialCommands(group: Command, commandLine: CommandLine): void {
  const { terminal } = commandLine
  group
    .command('trials')
    .description('List versions that are tried out with some of the new orders')
    .action(async (_typed, command: Command) => {
      const site = await connect(commandLine, command)
      const trials = listOf(await site.send({ path: `${base}/trials` }))
      const columns = [
        'plugin',
        'present',
        'tried',
        'of',
        'calls',
        'failures',
        'startedAt',
        'startedBy',
      ]
      printResult(commandLine, command, trials, (rows) =>
        rows.length === 0
          ? 'No version is being tried out'
          : formatRows(terminal, columns, rows.map(toTrialRow)),
      )
    })
  for (const verdict of ['promote', 'revert'] as const) {
    group
      .command(verdict)
      .description(
        verdict === 'promote'
          ? 'End a trial: its version takes over'
          : 'End a trial: its version is dropped',
      )
      .argument('<name>', 'Name in the configuration')
      .option('--reason <text>', 'Kept in the audit')
      .action(async (name: string, { reason }: { reason?: string }, command: Command) => {
        const site = await connect(commandLine, command)
        const path = `${base}/trials/${encodeURIComponent(name)}`
        await site.send({ method: 'POST', path, body: { verdict, reason } })
      })
  }
}

function addRevocationCommands(group: Command, commandLine: CommandLine): void {
  const { terminal } = commandLine
  group
    .command('revocations')
    .description('List versions that were revoked, and the plugins here that suffer from it')
    .action(async (_typed, command: Command) => {
      const site = await connect(commandLine, command)
      const found = listOf(await site.send({ path: `${base}/revocations` }))
      const columns = ['package', 'versions', 'action', 'source', 'plugins', 'reason']
      printResult(commandLine, command, found, (rows) =>
        rows.length === 0 ? 'Nothing is revoked' : formatRows(terminal, columns, rows),
      )
    })
  group
    .command('revoke')
    .description('Revoke versions of a package, here and for members that believe this site')
    .argument('<package@range>', 'Such as @vendor/plugin@<1.2.3', readRange)
    .addOption(
      new Option('--action <action>', 'What is done to those that run')
        .choices(['warn', 'stop-new-orders', 'stop'])
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'Shown to everybody who is concerned')
    .option('--url <url>', 'Where to read more')
    .action(async (what: Row, typed: Row, command: Command) => {
      const site = await connect(commandLine, command)
      const { action, reason, url } = typed
      const body = { ...what, action, reason, ...(url ? { url } : {}) }
      await site.send({ method: 'POST', path: `${base}/revocations`, body })
    })
  group
    .command('unrevoke')
    .description('Take back what this site revoked')
    .argument('<package@range>', 'As it was revoked', readRange)
    .action(async (what: Row, _typed, command: Command) => {
      const site = await connect(commandLine, command)
      await site.send({ method: 'POST', path: `${base}/revocations/withdraw`, body: what })
    })
}

function readRange(text: string): { package: string; versions: string } {
  const at = text.indexOf('@', 1)
  if (at > 0 && at < text.length - 1)
    return { package: text.slice(0, at), versions: text.slice(at + 1) }
  throw usage(`'${text}' names no versions`, 'such as @vendor/plugin@<1.2.3, or @* for all')
}

function toRow(generation: Row): Row {
  const { id, reason } = generation.by as { id: string; reason?: string }
  const isDamaged = generation.problem !== undefined
  return { ...generation, at: isDamaged ? '' : generation.at, by: id, reason }
}

function toTrialRow(trial: Row): Row {
  const { tried } = trial.counts as { tried: Row }
  return { ...trial, calls: tried.calls, failures: tried.failures }
}
