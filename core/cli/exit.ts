/** What the shell learns of the end of a command. */
export const exitCodes = {
  ok: 0,
  /** The site refused or failed, or the resource did. */
  failed: 1,
  /** Unknown command or option, a value that is not allowed. */
  usage: 2,
  /** No token, or it is not accepted any more. */
  notLoggedIn: 3,
  /** Nobody answers at the URL. */
  unreachable: 4,
  /** Waited in vain; the order goes on. */
  timedOut: 5,
  /** Ended by Ctrl-C: 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Ends the command: `message` says what happened, `hint` what to do about it. */
export class CommandError extends Error {
  readonly exitCode: ExitCode
  readonly hint: string | undefined

  constructor(exitCode: ExitCode, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CommandError'
    this.exitCode = exitCode
    this.hint = hint
  }
}

export function usage(message: string, hint?: string): CommandError {
  return new CommandError(exitCodes.usage, message, hint)
}
