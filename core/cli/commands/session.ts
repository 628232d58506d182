import type { Command } from 'commander'
import { type CommandLine, connect, printResult } from '../command-line.ts'
import { logInElsewhere } from '../device-login.ts'
import { CommandError, exitCodes, usage } from '../exit.ts'
import { collect, readPairs, readTextFile } from '../schema-options.ts'
import { createSiteClient, fieldsOf, RefusedError, type SiteClient } from '../site-client.ts'
import { formatFields } from '../table.ts'

interface LoginOptions {
  username?: string
  domain?: string
  passwordStdin?: true
  credential?: string[]
  device?: true
  source?: string
}

/** `fogbow login`, `logout`, `whoami`. */
export function addSessionCommands(program: Command, commandLine: CommandLine): void {
  const { terminal, sessions } = commandLine

  program
    .command('login')
    .description('Log in to a site (--url) and keep its token')
    .option('-u, --username <name>', 'Asked for on a terminal when absent')
    .option(
      '-d, --domain <name>',
      'Where the user name is known, at a site with several identity sources',
    )
    .option('--password-stdin', 'Read the password from standard input instead of the terminal')
    .option(
      '-c, --credential <key=value>',
      'What else the site wants to know; key=@file reads a file (repeatable)',
      collect,
    )
    .option('--device', 'Log in at the identity provider of the site, with a browser elsewhere')
    .option('--source <name>', 'With --device: which identity provider, when there are several')
    .action(async (typed: LoginOptions, command: Command) => {
      const { url } = await connect(commandLine, command)
      warnOfPlainText(commandLine, url)
      const site = createSiteClient({ url })
      const token = isElsewhere(typed)
        ? await logInElsewhere(site, terminal, typed.source)
        : await createToken(site, await readCredentials(commandLine, typed))
      await sessions.write({ url, token })
      terminal.notice(`Logged in to ${url}`)
    })

  program
    .command('logout')
    .description('Give the token back and forget it')
    .action(async (_typed, command: Command) => {
      const site = await connect(commandLine, command)
      try {
        if (site.loggedIn) await site.send({ method: 'DELETE', path: '/as/tokens' })
      } catch (error) {
        const isOver = error instanceof RefusedError && error.status === 401
        if (!isOver) throw withHint(error, 'the token was forgotten here but stays valid there')
      } finally {
        await sessions.remove()
      }
    })

  program
    .command('whoami')
    .description('Show who is logged in')
    .action(async (_typed, command: Command) => {
      const site = await connect(commandLine, command)
      const caller = fieldsOf(await site.send({ path: '/as/user' }))
      printResult(commandLine, command, caller, (user) =>
        formatFields(terminal, { ...user, expiresAt: toTime(user.expiresAt), url: site.url }),
      )
    })
}

function isElsewhere({
  device,
  source,
  username,
  passwordStdin,
  credential,
}: LoginOptions): boolean {
  if (!device && source !== undefined) throw usage('--source needs --device')
  if (device && (username !== undefined || passwordStdin || credential))
    throw usage('--device takes no credentials: they are typed in the browser')
  return device === true
}

async function createToken(site: SiteClient, credentials: object): Promise<string> {
  try {
    const body = { credentials }
    const answer = await site.send({ method: 'POST', path: '/as/tokens', body, open: true })
    return fieldsOf<{ token: string }>(answer).token
  } catch (error) {
    if (!(error instanceof RefusedError) || error.status !== 401) throw error
    throw withHint(error, 'check user name and password')
  }
}

async function readCredentials(
  { terminal }: CommandLine,
  typed: LoginOptions,
): Promise<Record<string, string>> {
  const credentials = readPairs('--credential', typed.credential ?? [])
  for (const [key, value] of Object.entries(credentials)) {
    if (value.startsWith('@'))
      credentials[key] = (await readTextFile('--credential', value.slice(1))).trimEnd()
  }
  const isOwnKind = Object.keys(credentials).length > 0 && typed.username === undefined
  if (typed.username !== undefined) credentials.username = typed.username
  if (typed.domain !== undefined) credentials.domain = typed.domain
  if (typed.passwordStdin) credentials.password = (await terminal.readInput()).replace(/\r?\n$/, '')
  if (isOwnKind) return credentials
  credentials.username ??= await askFor(terminal, 'User name: ', '--username', false)
  credentials.password ??= await askFor(terminal, 'Password: ', '--password-stdin', true)
  return credentials
}

function askFor(
  terminal: CommandLine['terminal'],
  question: string,
  flag: string,
  secret: boolean,
): Promise<string> {
  if (!terminal.interactive) throw usage(`${flag} is needed: there is no terminal to ask`)
  return terminal.ask(question, { secret })
}

function warnOfPlainText({ terminal }: CommandLine, url: string): void {
  const { protocol, hostname } = new URL(url)
  const isLocal = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
  if (protocol === 'http:' && !isLocal)
    terminal.notice(terminal.paintNotice('yellow', `warning: ${url} is not encrypted`))
}

function withHint(error: unknown, hint: string): CommandError {
  const exitCode = error instanceof CommandError ? error.exitCode : exitCodes.failed
  const message = error instanceof Error ? error.message : String(error)
  return new CommandError(exitCode, message, hint, { cause: error })
}

function toTime(expiresAt: unknown): unknown {
  return typeof expiresAt === 'number' ? new Date(expiresAt).toISOString() : expiresAt
}
