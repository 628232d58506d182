import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ChangeRequest, InstanceSettings, PackageChange, Plan } from '@fogbow/registry'
import type { Command } from 'commander'
import { type CommandLine, printResult } from '../command-line.ts'
import { CommandError, exitCodes, usage } from '../exit.ts'
import { formatRows, type Row } from '../table.ts'
import { printable } from '../terminal.ts'
import { addDataDir } from './local.ts'
import {
  askForMissing,
  incomplete,
  onlyNewSecrets,
  readValue,
  toMissingText,
} from './missing-settings.ts'
import { openDesk, type PluginDesk } from './plugin-desk.ts'

interface ChangeOptions {
  dataDir?: string
  reason?: string
  accept?: string[]
  yes?: true
  planOnly?: true
  trial?: string
}

/** `fogbow plugin install`, `upgrade`, `remove`, `rollback`, `config`, `plans`, `apply`, `discard`: each change is a plan first. */
export function addChangeCommands(group: Command, commandLine: CommandLine): void {
  const { terminal } = commandLine

  async function change(request: ChangeRequest, typed: ChangeOptions, command: Command) {
    const desk = await openDesk(commandLine, command, typed)
    try {
      const plan = await planComplete(desk, request, typed.reason)
      if (typed.planOnly) {
        printResult(commandLine, command, plan, (made) => toPlanText(commandLine, made))
        return
      }
      terminal.notice(toPlanText(commandLine, plan))
      if (plan.refusals.length > 0) throw refused()
      await apply(desk, plan, typed, command)
    } finally {
      await desk.close()
    }
  }

  /** Whoever sits there is asked for the settings that a new version needs and nobody made. */
  async function planComplete(
    desk: PluginDesk,
    request: ChangeRequest,
    reason: string | undefined,
  ): Promise<Plan> {
    const plan = await desk.plan(request, reason)
    if (!terminal.interactive || (request.action !== 'install' && request.action !== 'upgrade'))
      return plan
    const settings: Record<string, InstanceSettings> = {}
    for (const change of plan.changes) {
      for (const check of change.settings) {
        const typed = await askForMissing(terminal, onlyNewSecrets(check, change))
        if (!typed) continue
        settings[check.instance] = merged(await ownSettings(desk, check.instance), typed)
      }
    }
    const isAnswered = Object.keys(settings).length > 0
    return isAnswered ? desk.plan({ ...request, settings }, reason) : plan
  }

  /** What is missing is asked for where somebody sits, and listed where nobody does. */
  async function configureMissing(name: string, typed: ChangeOptions, command: Command) {
    const { check, before } = await withDesk(commandLine, typed, command, async (desk) => ({
      check: await desk.checkSettings(name),
      before: await ownSettings(desk, name),
    }))
    const isComplete = check.missing.length + check.secrets.length === 0
    const isAsked = terminal.interactive && !command.optsWithGlobals().json
    if (isComplete || !isAsked) {
      printResult(commandLine, command, check, (found) => toMissingText(commandLine, found))
      if (check.missing.length > 0) throw incomplete(name, check)
      return
    }
    const answers = await askForMissing(terminal, check)
    if (!answers) throw usage('Nothing was typed, so nothing was set')
    const settings = merged(before, answers)
    await change({ action: 'configure', instance: name, settings }, typed, command)
  }

  async function apply(desk: PluginDesk, plan: Plan, typed: ChangeOptions, command: Command) {
    const accept = await accepted(plan, typed)
    const trial = typed.trial === undefined ? undefined : toTrial(typed.trial)
    const applied = await desk.apply(plan, { accept, reason: typed.reason, trial })
    printResult(commandLine, command, applied, ({ generation }) =>
      generation
        ? `Generation ${generation.number}: ${printable(generation.change)}`
        : 'The new version gets its share of the new orders; see: fogbow plugin trials',
    )
  }

  /** What is new in rights needs a yes: by name, by `--yes`, or from whoever sits there. */
  async function accepted(plan: Plan, { accept = [], yes }: ChangeOptions): Promise<string[]> {
    const open = plan.needsAcceptance.filter((right) => !accept.includes(right))
    if (yes || open.length === 0) return plan.needsAcceptance
    if (terminal.interactive) {
      const answer = await terminal.ask(`Accept ${open.map(printable).join(', ')}? [y/N] `)
      if (/^y(es)?$/i.test(answer.trim())) return plan.needsAcceptance
    }
    const rights = open.map((right) => `  ${printable(right)}`)
    throw new CommandError(
      exitCodes.failed,
      ['Nothing was changed, because this was not accepted:', ...rights].join('\n'),
      `accept with --accept '${printable(open[0] ?? '')}' and so on, or all with --yes; or later: fogbow plugin apply ${plan.id.slice(0, 12)} --yes`,
    )
  }

  addChange(group, 'install')
    .alias('add')
    .description('Install a plugin, or another version of it; asks for settings that it misses')
    .argument('<source>', 'Npm package, folder, tarball or bundle file')
    .option('--registry <name>', 'From this registry instead of the usual one')
    .action((source: string, typed: ChangeOptions & { registry?: string }, command: Command) => {
      const { registry } = typed
      const request = { action: 'install' as const, source: toSource(source) }
      return change({ ...request, ...(registry && { registry }) }, typed, command)
    })

  addChange(group, 'upgrade')
    .description('Go to the newest versions that suit; asks for settings that they miss')
    .argument('[package]', 'Npm name; all when absent')
    .action((name: string | undefined, typed: ChangeOptions, command: Command) =>
      change({ action: 'upgrade', ...(name && { package: name }) }, typed, command),
    )

  addChange(group, 'remove')
    .description('Uninstall a plugin that nothing needs')
    .argument('<package>', 'Npm name of the package')
    .action((name: string, typed: ChangeOptions, command: Command) =>
      change({ action: 'remove', package: name }, typed, command),
    )

  addChange(group, 'rollback')
    .description('Go back to what was installed and set in an earlier generation')
    .argument('[generation]', 'Its number; the one before the present when absent', toNumber)
    .action(async (number: number | undefined, typed: ChangeOptions, command: Command) => {
      const generation = number ?? (await withDesk(commandLine, typed, command, numberBefore))
      await change({ action: 'rollback', generation }, typed, command)
    })

  addChange(group, 'config')
    .description(
      'Set what a plugin is configured with; without settings, asks for those that are missing',
    )
    .argument('<name>', 'Name in the configuration')
    .argument('[settings...]', 'key=value; the value is JSON, or a text; others stay as they are')
    .option(
      '--secret <name=reference>',
      'Such as password=env:PASSWORD; may be given often',
      gather,
    )
    .option('--package <package>', 'Npm name of the package that it runs')
    .option('--clear', 'Take all settings away that were made this way')
    .action(async (name: string, pairs: string[], typed: Row, command: Command) => {
      if (typed.clear) {
        await change({ action: 'configure', instance: name, settings: null }, typed, command)
        return
      }
      const typedSettings = toSettings(pairs, typed)
      if (Object.keys(typedSettings).length === 0) {
        await configureMissing(name, typed, command)
        return
      }
      const before = await withDesk(commandLine, typed, command, (desk) => ownSettings(desk, name))
      const settings = merged(before, typedSettings)
      await change({ action: 'configure', instance: name, settings }, typed, command)
    })

  addDataDir(group.command('plans'))
    .description('List plans that wait')
    .action(async (typed: ChangeOptions, command: Command) => {
      const desk = await openDesk(commandLine, command, typed)
      try {
        printResult(commandLine, command, await desk.plans(), (plans) =>
          plans.length === 0
            ? 'No plan waits'
            : formatRows(
                terminal,
                ['plan', 'what', 'by', 'createdAt', 'problem'],
                plans.map(toPlanRow),
              ),
        )
      } finally {
        await desk.close()
      }
    })

  addChange(group, 'apply')
    .description('Apply a plan that waits')
    .argument('<plan>', 'Its id, or the first characters of it')
    .action(async (id: string, typed: ChangeOptions, command: Command) => {
      const desk = await openDesk(commandLine, command, typed)
      try {
        await apply(desk, await findPlan(desk, id), typed, command)
      } finally {
        await desk.close()
      }
    })

  addDataDir(group.command('discard'))
    .description('Drop a plan')
    .argument('<plan>', 'Its id, or the first characters of it')
    .action(async (id: string, typed: ChangeOptions, command: Command) => {
      const desk = await openDesk(commandLine, command, typed)
      try {
        const plan = await findPlan(desk, id)
        await desk.discardPlan(plan.id)
      } finally {
        await desk.close()
      }
    })
}

function addChange(group: Command, name: string): Command {
  return addDataDir(group.command(name))
    .option('--reason <text>', 'Kept with the change and in the audit')
    .option('--accept <right>', 'What the plan names as new; may be given often', gather)
    .option('--yes', 'Accept all that is new')
    .option('--plan-only', 'Show what would change, and keep the plan')
    .option('--trial <part>', 'Only for share=0.1, project=NAME or user=ID@SITE of the new orders')
}

async function withDesk<Result>(
  commandLine: CommandLine,
  typed: ChangeOptions,
  command: Command,
  work: (desk: PluginDesk) => Promise<Result>,
): Promise<Result> {
  const desk = await openDesk(commandLine, command, typed)
  try {
    return await work(desk)
  } finally {
    await desk.close()
  }
}

async function numberBefore(desk: PluginDesk): Promise<number> {
  const [, before, ...older] = await desk.generations()
  if (before?.problem !== undefined) {
    const whole = older.find(({ problem }) => problem === undefined)
    const remedy = whole ? `go back further: fogbow plugin rollback ${whole.number}` : undefined
    throw new CommandError(exitCodes.failed, `Generation ${before.number} is damaged`, remedy)
  }
  if (typeof before?.number === 'number') return before.number
  throw usage('There is no earlier generation', 'see: fogbow plugin generations')
}

/** Those of one instance that were made through the marketplace. */
async function ownSettings(desk: PluginDesk, instance: string): Promise<InstanceSettings> {
  const [present] = await desk.generations()
  const all = (present?.settings ?? {}) as Record<string, InstanceSettings>
  return Object.hasOwn(all, instance) ? (all[instance] ?? {}) : {}
}

function merged(before: InstanceSettings, typed: InstanceSettings): InstanceSettings {
  return {
    ...before,
    ...typed,
    ...((before.config ?? typed.config) && { config: { ...before.config, ...typed.config } }),
    ...((before.secrets ?? typed.secrets) && { secrets: { ...before.secrets, ...typed.secrets } }),
  }
}

async function findPlan(desk: PluginDesk, id: string): Promise<Plan> {
  const [found, ...more] = (await desk.plans()).filter((plan) => plan.id.startsWith(id))
  if (found && more.length === 0) return found
  const problem = found ? `More than one plan begins with '${id}'` : `No plan begins with '${id}'`
  throw new CommandError(exitCodes.failed, problem, 'see: fogbow plugin plans')
}

/** Paths are made absolute; whatever is no file here is an npm specifier. */
function toSource(source: string): string {
  const [file = '', name] = source.split('#')
  if (!existsSync(file)) return source
  return name === undefined ? resolve(file) : `${resolve(file)}#${name}`
}

function toSettings(pairs: string[], typed: Row): InstanceSettings {
  const config = Object.fromEntries(pairs.map((pair) => readPair(pair, readValue)))
  const secret = (typed.secret ?? []) as string[]
  const secrets = Object.fromEntries(secret.map((pair) => readPair(pair, (text) => text)))
  return {
    ...(pairs.length > 0 && { config }),
    ...(secret.length > 0 && { secrets }),
    ...(typeof typed.package === 'string' && { package: typed.package }),
  } as InstanceSettings
}

function readPair<Value>(pair: string, read: (text: string) => Value): [string, Value] {
  const at = pair.indexOf('=')
  if (at > 0) return [pair.slice(0, at), read(pair.slice(at + 1))]
  throw usage(`'${pair}' is no key=value`, 'such as quota=5 or url=https://cloud.example')
}

function toTrial(text: string): Row {
  const [key, value] = readPair(text, (part) => part)
  if (key === 'share') return { share: Number(value) }
  if (key === 'project' || key === 'user') return { [key]: value }
  throw usage(`'${key}' is no part of the orders`, 'use share=0.1, project=NAME or user=ID@SITE')
}

function toNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw usage(`'${text}' is no number of a generation`, 'see: fogbow plugin generations')
}

function gather(value: string, before: string[] = []): string[] {
  return [...before, value]
}

function refused(): CommandError {
  const message = 'Nothing was changed: the plan is refused for what is marked with ✗'
  return new CommandError(exitCodes.failed, message)
}

function toPlanRow(plan: Plan): Row {
  return {
    plan: plan.id.slice(0, 12),
    what: whatOf(plan),
    by: plan.createdBy.id,
    createdAt: plan.createdAt,
    problem: plan.refusals[0],
  }
}

function whatOf({ request, changes }: Plan): string {
  const versions = changes.map(
    ({ package: name, from, to }) => `${name} ${from?.version ?? 'new'} → ${to?.version ?? 'gone'}`,
  )
  return versions.join(', ') || request.action
}

/** Everything that somebody should know before saying yes. */
function toPlanText({ terminal }: CommandLine, plan: Plan): string {
  const lines = plan.changes.flatMap((change) => linesOf(change))
  const settings = Object.entries(plan.settings).map(([name, own]) =>
    own ? `settings of ${name}: ${JSON.stringify(own)}` : `settings of ${name}: taken away`,
  )
  return [
    terminal.paintNotice('bold', `Plan ${plan.id.slice(0, 12)}`),
    ...lines,
    ...settings.map(printable),
    ...plan.notes.map((note) => `note: ${printable(note)}`),
    ...plan.needsAcceptance.map((right) => terminal.paintNotice('yellow', `! ${printable(right)}`)),
    ...plan.refusals.map((problem) => terminal.paintNotice('red', `✗ ${printable(problem)}`)),
    ...(plan.changes.length + settings.length === 0 ? ['Nothing would change'] : []),
  ].join('\n')
}

function linesOf(change: PackageChange): string[] {
  const { package: name, from, to, verdict, capabilities, components } = change
  const list = (title: string, items: string[]) =>
    items.length === 0 ? [] : [`  ${title}: ${items.map(printable).join(', ')}`]
  const found = (verdict?.checks ?? []).flatMap(({ rule, outcome, message }) =>
    outcome === 'passed' || outcome === 'unneeded'
      ? []
      : [`  ${outcome.padEnd(7)} ${rule}: ${printable(message)}`],
  )
  return [
    `${printable(name)}  ${from?.version ?? 'new'} → ${to?.version ?? 'gone'}${verdict ? `  (${verdict.level})` : ''}`,
    ...list('may now reach', capabilities.added),
    ...list('does not reach any more', capabilities.dropped),
    ...list(
      'new parts',
      components.added.map(({ name, version }) => `${name}@${version}`),
    ),
    ...list(
      'parts gone',
      components.removed.map(({ name, version }) => `${name}@${version}`),
    ),
    ...list(
      'parts changed',
      components.changed.map(([old, next]) => `${old.name}@${old.version} → ${next.version}`),
    ),
    ...list(
      'settings missing',
      change.settings.flatMap(({ missing }) => missing),
    ),
    ...list(
      'secrets without a reference',
      change.settings.flatMap(({ secrets }) => secrets),
    ),
    ...list(
      'weaknesses',
      change.advisories.map(({ id, title }) => `${id} ${title}`),
    ),
    ...list(
      'settings no longer known',
      change.settings.flatMap(({ unknown }) => unknown),
    ),
    ...list('offers no longer', change.offered.dropped),
    ...list('offers now', from ? change.offered.added : []),
    ...list('licence', licenceOf(change)),
    ...found,
  ]
}

function licenceOf({ license: { from, to } }: PackageChange): string[] {
  if (from === to || to === undefined) return []
  return [from === undefined ? to : `${from} → ${to}`]
}
