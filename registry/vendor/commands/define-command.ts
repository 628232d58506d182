import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

/** What a command was given. */
export interface Typed {
  positionals: readonly string[]
  /** Value of an option; of one that may be repeated, the last. */
  text(name: string): string | undefined
  texts(name: string): string[]
  flag(name: string): boolean
}

export interface VendorCommand {
  /** What follows the name of the command. */
  synopsis: string
  /** One line for the list of commands. */
  summary: string
  /** What each option and argument means, a line each; empty when the synopsis says it. */
  help: string
  options: ParseArgsOptionsConfig
  mostPositionals: number
  /** @returns the exit code */
  run(typed: Typed): Promise<number>
}

export function defineCommand(command: VendorCommand): VendorCommand {
  return command
}

/** @throws TypeError naming the option that is not known */
export function readTyped(command: VendorCommand, args: readonly string[]): Typed {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    allowNegative: true,
    options: { ...command.options, help: { type: 'boolean', short: 'h' } },
  })
  const all = values as Record<string, string | boolean | string[] | undefined>
  const texts = (name: string) => [all[name]].flat().filter((value) => typeof value === 'string')
  return {
    positionals,
    text: (name) => texts(name).at(-1),
    texts,
    flag: (name) => all[name] === true,
  }
}
