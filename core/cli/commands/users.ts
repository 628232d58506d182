import { join } from 'node:path'
import type { Command } from 'commander'
import { type CommandLine, printResult } from '../command-line.ts'
import { usage } from '../exit.ts'
import { collect } from '../schema-options.ts'
import { formatRows, type Row } from '../table.ts'
import { addDataDir, findDataDir } from './local.ts'

interface PasswordOptions {
  dataDir?: string
  passwordStdin?: true
  generate?: true
}

/** `fogbow user …`: who may log in with the local identity plugin of the site on this machine. */
export function addUserCommands(program: Command, commandLine: CommandLine): void {
  const { terminal } = commandLine
  const group = program.command('user').description('Local users of the site on this machine')

  async function openUsers(typed: { dataDir?: string }) {
    const { openUsersFile } = await import('../../identity/users-file.ts')
    return openUsersFile(join(await findDataDir(commandLine, typed), 'users.json'))
  }

  addDataDir(group.command('list'))
    .description('List them')
    .action(async (typed: { dataDir?: string }, command: Command) => {
      const users = await (await openUsers(typed)).list()
      const views = users.map(({ name, roles, disabled }) => ({
        name,
        roles,
        disabled: !!disabled,
      }))
      printResult(commandLine, command, views, (rows: Row[]) =>
        formatRows(terminal, ['name', 'roles', 'disabled'], rows),
      )
    })

  addPasswordOptions(group.command('add'))
    .description('Add one')
    .argument('<name>')
    .option('--role <role>', 'What the authorization knows of the user (repeatable)', collect)
    .action(async (name: string, typed: PasswordOptions & { role?: string[] }) => {
      const users = await openUsers(typed)
      const password = await choosePassword(commandLine, typed)
      await users.add({ name, password, roles: typed.role ?? [] })
      if (typed.generate) terminal.print(password)
    })

  addPasswordOptions(group.command('passwd'))
    .description('Give one a new password')
    .argument('<name>')
    .action(async (name: string, typed: PasswordOptions) => {
      const users = await openUsers(typed)
      const password = await choosePassword(commandLine, typed)
      await users.setPassword(name, password)
      if (typed.generate) terminal.print(password)
    })

  const changes = [
    ['remove', 'Remove one', 'remove'],
    ['disable', 'Keep one from logging in', true],
    ['enable', 'Let one log in again', false],
  ] as const
  for (const [verb, description, change] of changes) {
    addDataDir(group.command(verb))
      .description(description)
      .argument('<name>')
      .action(async (name: string, typed: { dataDir?: string }) => {
        const users = await openUsers(typed)
        await (change === 'remove' ? users.remove(name) : users.setDisabled(name, change))
      })
  }
}

function addPasswordOptions(command: Command): Command {
  return addDataDir(command)
    .option('--password-stdin', 'Read the password from standard input instead of the terminal')
    .option('--generate', 'Make a random password and print it')
}

async function choosePassword({ terminal }: CommandLine, typed: PasswordOptions): Promise<string> {
  if (typed.generate) {
    const { createPassword } = await import('../../identity/users-file.ts')
    return createPassword()
  }
  if (typed.passwordStdin) return (await terminal.readInput()).replace(/\r?\n$/, '')
  if (!terminal.interactive)
    throw usage('There is no terminal to ask', 'give --password-stdin or --generate')
  const password = await terminal.ask('Password: ', { secret: true })
  if ((await terminal.ask('Again: ', { secret: true })) === password) return password
  throw usage('The two passwords differ')
}
