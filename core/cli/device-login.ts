import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError, exitCodes, usage } from './exit.ts'
import { fieldsOf, RefusedError, type SiteClient, UnreachableError } from './site-client.ts'
import { printable, type Terminal } from './terminal.ts'

interface LoginSource {
  name: string
  devices: boolean
}

interface DeviceLogin {
  handle: string
  userCode: string
  verificationUri: string
  verificationUriComplete?: string
  expiresInSeconds: number
  intervalSeconds: number
}

type DevicePoll =
  | { status: 'done'; token: string }
  | { status: 'pending' | 'slow_down'; intervalSeconds: number }

/** Longest pause between two questions, however often nobody answered. */
const LONGEST_PAUSE_SECONDS = 60
const BEGIN_AGAIN = 'begin again with: fogbow login --device'

/**
 * Logs in by a browser elsewhere, at the identity provider of the site (RFC 8628): shows address and code, and asks until
 * the user is through.
 * @param source - identity provider as the site names it; the only one when absent
 * @returns the token
 */
export async function logInElsewhere(
  site: SiteClient,
  terminal: Terminal,
  source: string | undefined,
): Promise<string> {
  const name = source ?? (await onlySource(site))
  const path = `/as/login/${encodeURIComponent(name)}/device`
  const begun = fieldsOf<DeviceLogin>(await site.send({ method: 'POST', path, open: true }))
  tell(terminal, begun)
  const waiting = terminal.showProgress(() => 'Waiting for you there …')
  try {
    return await untilDone(site, `${path}/token`, begun)
  } finally {
    waiting.end()
  }
}

async function onlySource(site: SiteClient): Promise<string> {
  const answer = await site.send({ path: '/as/login', open: true }).catch((error) => {
    if (error instanceof RefusedError && error.status === 404) return undefined
    throw error
  })
  const { sources = [] } = answer ? fieldsOf<{ sources?: LoginSource[] }>(answer) : {}
  const names = sources.filter(({ devices }) => devices).map((each) => each.name)
  const [first] = names
  if (first === undefined)
    throw new CommandError(
      exitCodes.failed,
      `${site.url} has no identity provider at which a device logs in`,
      'log in with: fogbow login --username NAME',
    )
  if (names.length > 1)
    throw usage('There are several identity providers', `choose with --source: ${names.join(', ')}`)
  return first
}

function tell(terminal: Terminal, begun: DeviceLogin): void {
  const { verificationUri, verificationUriComplete: complete, userCode } = begun
  const minutes = Math.max(1, Math.floor(begun.expiresInSeconds / 60))
  const code = terminal.paintNotice('bold', printable(userCode))
  terminal.notice(`Open ${printable(verificationUri)} in a browser and enter the code ${code}`)
  if (complete) terminal.notice(`or open ${printable(complete)}`)
  terminal.notice(`The code is good for ${minutes} min.`)
}

async function untilDone(site: SiteClient, path: string, begun: DeviceLogin): Promise<string> {
  const endsAt = performance.now() + begun.expiresInSeconds * 1000
  let seconds = begun.intervalSeconds
  while (performance.now() < endsAt) {
    await sleep(seconds * 1000)
    const polled = await poll(site, path, begun.handle)
    if (polled === 'no answer') seconds = Math.min(seconds * 2, LONGEST_PAUSE_SECONDS)
    else if (polled.status === 'done') return polled.token
    else seconds = polled.intervalSeconds
  }
  throw new CommandError(
    exitCodes.notLoggedIn,
    'The code has expired before it was used',
    BEGIN_AGAIN,
  )
}

/** A site or a provider that is away for a moment does not end the login (RFC 8628, section 3.5). */
async function poll(
  site: SiteClient,
  path: string,
  handle: string,
): Promise<DevicePoll | 'no answer'> {
  try {
    return fieldsOf<DevicePoll>(
      await site.send({ method: 'POST', path, body: { handle }, open: true }),
    )
  } catch (error) {
    const isAway =
      error instanceof UnreachableError ||
      (error instanceof RefusedError && (error.status >= 500 || error.status === 429))
    if (isAway) return 'no answer'
    if (error instanceof RefusedError)
      throw new CommandError(exitCodes.notLoggedIn, error.message, BEGIN_AGAIN, { cause: error })
    throw error
  }
}
