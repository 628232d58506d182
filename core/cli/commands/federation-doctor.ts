import type { Command } from 'commander'
import { type CommandLine, connect } from '../command-line.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { collect } from '../schema-options.ts'
import { printable } from '../terminal.ts'
import { addDataDir } from './local.ts'

interface TypedDoctor {
  dataDir?: string
  authority?: string
  hosts?: string
  resolver?: string[]
}

const signs = { ok: '✓', warning: '!', fault: '✗', unknown: '?' } as const
const styles = { ok: 'green', warning: 'yellow', fault: 'red', unknown: 'yellow' } as const

/** `fogbow federation doctor`: each thing that has to be right, in words, as it is looked at. */
export function addFederationDoctor(group: Command, commandLine: CommandLine): void {
  const { terminal, env } = commandLine
  const command = group
    .command('doctor')
    .description(
      'Look for what keeps this site and its members apart; fails when something is wrong',
    )
  addDataDir(command)
    .option(
      '--authority <file>',
      "Certificate of the federation's own authority; those of the system",
    )
    .option('--hosts <file>', 'Names that are in no DNS, as in /etc/hosts')
    .option(
      '--resolver <ip>',
      'DNS server to ask, such as that of the XMPP server (repeatable)',
      collect,
    )
    .action(async (typed: TypedDoctor, command: Command) => {
      const { examine } = await import('../federation/examination.ts')
      const { resolver: resolvers, ...files } = typed
      const site = await connect(commandLine, command)
      const how = { ...files, env, cwd: process.cwd(), site, now: Date.now }
      const isJson = command.optsWithGlobals().json === true
      const findings = []
      for await (const finding of examine(resolvers ? { ...how, resolvers } : how)) {
        findings.push(finding)
        if (!isJson) terminal.print(toText(finding))
      }
      if (isJson) terminal.print(JSON.stringify(findings, null, 2))
      const faults = findings.filter(({ verdict }) => verdict === 'fault').length
      if (faults > 0)
        throw new CommandError(exitCodes.failed, `${faults} of ${findings.length} checks failed`)
    })

  function toText({
    check,
    about,
    verdict,
    found,
    advice,
  }: {
    check: string
    about: string
    verdict: keyof typeof signs
    found: string
    advice?: string
  }): string {
    const sign = terminal.paint(styles[verdict], signs[verdict])
    const head = `${sign} ${check.padEnd(16)}  ${printable(about)}`
    const lines = [head, `    ${printable(found)}`]
    if (advice && verdict !== 'ok') lines.push(`    → ${printable(advice)}`)
    return lines.join('\n')
  }
}
