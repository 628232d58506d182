import { sdkVersion } from '@fogbow/plugin-sdk'
import { Command } from 'commander'
import type { CommandLine } from './command-line.ts'
import { addFederationCommands } from './commands/federation.ts'
import { addDoctor, addLocalCommands } from './commands/local.ts'
import { addNestedCommands } from './commands/nested.ts'
import { addOrderedCommands } from './commands/ordered.ts'
import { addPluginCommands } from './commands/plugins.ts'
import { addQueriedCommands } from './commands/queried.ts'
import { addRendezvousCommand } from './commands/rendezvous.ts'
import { addSessionCommands } from './commands/session.ts'
import { addSiteCommands } from './commands/site.ts'
import { addUserCommands } from './commands/users.ts'
import { addCompletionCommand } from './completion.ts'

const examples = `
Examples:
  fogbow start                       run a site on this machine
  fogbow login --username admin      log in to it
  fogbow image list                  what can be booted
  fogbow compute create --image ID --vcpu 2 --ram 2048 --wait

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not logged in, 4 unreachable, 5 waited in vain`

/** The whole tree of commands. */
export function createProgram(commandLine: CommandLine): Command {
  const program = new Command('fogbow')
    .description('Resources of a federation of private clouds, from the command line')
    .version(sdkVersion, '-V, --version', 'Show the version')
    .helpOption('-h, --help', 'Show this help')
    .helpCommand('help [command]', 'Show the help of a command')
    .option('--url <url>', 'Site to talk to; FOGBOW_URL or that of the last login when absent')
    .option('--json', 'Print results as JSON')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .exitOverride()
    .addHelpText('after', examples)

  program.commandsGroup('Session:')
  addSessionCommands(program, commandLine)
  program.commandsGroup('Resources:')
  addOrderedCommands(program, commandLine)
  addNestedCommands(program, commandLine)
  addQueriedCommands(program, commandLine)
  program.commandsGroup('Site:')
  addSiteCommands(program, commandLine)
  addPluginCommands(program, commandLine)
  program.commandsGroup('This machine:')
  addLocalCommands(program, commandLine)
  addRendezvousCommand(program)
  addDoctor(program, commandLine)
  addUserCommands(program, commandLine)
  addFederationCommands(program, commandLine)
  addCompletionCommand(program, commandLine)
  return program
}
