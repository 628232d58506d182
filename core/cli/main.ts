import { asFogbowError, FogbowError } from '@fogbow/plugin-sdk'
import { CommanderError } from 'commander'
import { CommandError, type ExitCode, exitCodes } from './exit.ts'
import { createProgram } from './program.ts'
import { createSessionStore } from './session.ts'
import { createTerminal, type Terminal, type TerminalStreams } from './terminal.ts'

/**
 * Runs one command of `fogbow`.
 * @param args - without the program itself, such as `['compute', 'list']`
 * @returns what the shell is told; see `exitCodes`
 */
export async function runCli(
  args: readonly string[],
  streams: TerminalStreams = process,
): Promise<ExitCode> {
  const terminal = createTerminal(streams)
  endQuietlyWhenNobodyReads(streams.stdout)
  const commandLine = { terminal, env: streams.env, sessions: createSessionStore(streams.env) }
  try {
    await createProgram(commandLine).parseAsync(args, { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    return report(error, terminal, streams.env)
  }
}

/** As with `fogbow audit --all | head`. */
function endQuietlyWhenNobodyReads(stdout: NodeJS.WriteStream): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok)
    throw error
  })
}

function report(error: unknown, terminal: Terminal, env: NodeJS.ProcessEnv): ExitCode {
  // Commander has written its message itself.
  if (error instanceof CommanderError) return isHelp(error) ? exitCodes.ok : exitCodes.usage
  const complain = (message: string) =>
    terminal.notice(`${terminal.paintNotice('red', 'error:')} ${message}`)
  if (error instanceof CommandError) {
    complain(error.message)
    if (error.hint) terminal.notice(error.hint)
    return error.exitCode
  }
  complain(asFogbowError(error).message)
  if (!(error instanceof FogbowError) && env.FOGBOW_DEBUG && error instanceof Error)
    terminal.notice(error.stack ?? '')
  return exitCodes.failed
}

function isHelp(error: CommanderError): boolean {
  return error.exitCode === 0
}
