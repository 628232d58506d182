import type { Command } from 'commander'
import { usage } from './exit.ts'
import type { SessionStore } from './session.ts'
import { createSiteClient, fieldsOf, type SiteClient } from './site-client.ts'
import type { Terminal } from './terminal.ts'

/** What every command works with. */
export interface CommandLine {
  terminal: Terminal
  env: NodeJS.ProcessEnv
  sessions: SessionStore
}

export const DEFAULT_URL = 'http://localhost:8080'

/** The site that `--url`, `FOGBOW_URL` or the session names, in this order. */
export async function connect(commandLine: CommandLine, command: Command): Promise<SiteClient> {
  const session = await commandLine.sessions.read()
  const url = readUrl(command, commandLine.env, session?.url)
  const token = commandLine.env.FOGBOW_TOKEN || (session?.url === url ? session.token : undefined)
  return createSiteClient({ url, token })
}

function readUrl(command: Command, env: NodeJS.ProcessEnv, before: string | undefined): string {
  const { url: option } = command.optsWithGlobals()
  const url: string = option ?? (env.FOGBOW_URL || before || DEFAULT_URL)
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw usage(`'${url}' is not an http or https URL`, `such as ${DEFAULT_URL}`)
  return url.replace(/\/+$/, '')
}

/** Prints a result: as JSON when that was asked for, else as text. */
export function printResult<Result>(
  { terminal }: CommandLine,
  command: Command,
  result: Result,
  toText: (result: Result) => string,
): void {
  const text = command.optsWithGlobals().json ? JSON.stringify(result, null, 2) : toText(result)
  if (text !== '') terminal.print(text)
}

/** Provider and cloud of a question about a cloud, percent-encoded for a path; the site's own where none is named. */
export async function placementPath(
  site: SiteClient,
  options: { provider?: string; cloud?: string },
): Promise<string> {
  const provider = options.provider ?? (await localProvider(site))
  const cloud = options.cloud ?? (await defaultCloud(site, provider))
  return `${encodeURIComponent(provider)}/${encodeURIComponent(cloud)}`
}

async function localProvider(site: SiteClient): Promise<string> {
  const { id } = fieldsOf(await site.send({ path: '/site.json', open: true }))
  if (typeof id === 'string') return id
  throw usage(`${site.url} does not tell its own name`, 'name the member with --provider')
}

async function defaultCloud(site: SiteClient, provider: string): Promise<string> {
  const answer = await site.send({ path: `/ras/clouds/${encodeURIComponent(provider)}` })
  const [first] = fieldsOf<{ clouds?: string[] }>(answer).clouds ?? []
  if (first !== undefined) return first
  throw usage(`${provider} offers no cloud`, 'choose another member with --provider')
}
