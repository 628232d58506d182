import type { Command } from 'commander'
import type { CommandLine } from '../command-line.ts'
import { addFederationDoctor } from './federation-doctor.ts'
import { addFederationInit } from './federation-init.ts'
import { addFederationKeys } from './federation-keys.ts'

/** `fogbow federation …`: joining a federation, and finding out why it does not work. */
export function addFederationCommands(program: Command, commandLine: CommandLine): void {
  const group = program
    .command('federation')
    .description('Join a federation, and see why a member cannot be reached')
  addFederationInit(group, commandLine)
  addFederationDoctor(group, commandLine)
  addFederationKeys(group, commandLine)
}
