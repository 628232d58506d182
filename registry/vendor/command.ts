import { readTyped, type VendorCommand } from './commands/define-command.ts'
import { devCommand } from './commands/dev.ts'
import { keyCommand } from './commands/key.ts'
import { packCommand } from './commands/pack.ts'
import { testCommand } from './commands/test.ts'
import { validateCommand } from './commands/validate.ts'
import { verifyReportCommand } from './commands/verify-report.ts'

const commands: Readonly<Record<string, VendorCommand>> = {
  dev: devCommand,
  test: testCommand,
  validate: validateCommand,
  key: keyCommand,
  pack: packCommand,
  'verify-report': verifyReportCommand,
}

/** @returns the exit code */
export async function runCommand(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command) {
    const asked = name === '--help' || name === '-h'
    process[asked ? 'stdout' : 'stderr'].write(usage())
    return asked ? 0 : 1
  }
  try {
    const typed = readTyped(command, rest)
    const tooMany = typed.positionals.length > command.mostPositionals
    if (tooMany || typed.flag('help')) {
      process[tooMany ? 'stderr' : 'stdout'].write(usageOf(name, command))
      return tooMany ? 1 : 0
    }
    return await command.run(typed)
  } catch (error) {
    process.stderr.write(`fogbow-plugin: ${error instanceof Error ? error.message : error}\n`)
    return 1
  }
}

function usage(): string {
  const lines = Object.entries(commands).map(
    ([name, { synopsis, summary }]) =>
      `Usage: fogbow-plugin ${name}${synopsis ? ` ${synopsis}` : ''}\n  ${summary}\n`,
  )
  return `${lines.join('\n')}\nfogbow-plugin COMMAND --help says more. The guide is docs/write-a-plugin.md.\n`
}

function usageOf(name: string, { synopsis, summary, help }: VendorCommand): string {
  return `Usage: fogbow-plugin ${name} ${synopsis}\n\n${summary}.\n${help ? `\n${help}\n` : ''}`
}
