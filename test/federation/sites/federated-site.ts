import { Client } from '../../system/support/client.ts'
import { SiteProcess } from '../../system/support/site-process.ts'
import type { XmppServer } from '../servers/server-process.ts'
import type { SetUp } from '../set-up/set-up.ts'
import type { StanzaWire } from './stanza-wire.ts'
import type { Wire } from './wire.ts'

/** One site as its administrator runs it, and whatever lies between it and the others. */
export interface FederatedSite {
  readonly id: string
  readonly setUp: SetUp
  readonly server: XmppServer
  /** Between the site and its own server. */
  readonly link: StanzaWire
  /** The way by which other servers reach its server; what its server sends goes by theirs. */
  readonly front: Wire
  /** Of the present life. */
  readonly process: SiteProcess
  /** Starts a process, which may be killed before it is ready. */
  launch(options?: LaunchOptions): void
  /** The process that was launched last serves its users. @throws when it was killed before */
  ready(): Promise<void>
  /** Launches it and waits until it serves its users. */
  start(options?: LaunchOptions): Promise<void>
  /** kill -9, now. */
  kill(): Promise<void>
  /** @returns the exit code */
  end(): Promise<number | null>
  /** Of its administrator, for the present life. */
  client(): Client
  remove(): Promise<void>
}

export interface LaunchOptions {
  /** Text of `fogbow.config.ts`; the one before when absent. */
  readonly config?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface SiteParts {
  readonly setUp: SetUp
  readonly server: XmppServer
  readonly link: StanzaWire
  readonly front: Wire
  readonly config: string
}

export function createFederatedSite(parts: SiteParts): FederatedSite {
  const { setUp, server, link, front } = parts
  let { config } = parts
  let process: SiteProcess | undefined
  let readiness: Promise<void> = Promise.reject(new Error(`${setUp.siteId} was never launched`))
  readiness.catch(() => {})
  let token: string | undefined

  function present(): SiteProcess {
    if (process) return process
    throw new Error(`${setUp.siteId} was never launched`)
  }

  async function logIn(life: SiteProcess): Promise<void> {
    life.url = await life.says(/ is ready at (http:\S+)/)
    token ??= (await life.admin()).token
  }

  function launch({ config: changed = config, env = {} }: LaunchOptions = {}): void {
    config = changed
    const life = SiteProcess.launch({ folder: setUp.folder, config, env: { ...env } })
    process = life
    readiness = logIn(life)
    readiness.catch(() => {})
  }

  return {
    id: setUp.siteId,
    setUp,
    server,
    link,
    front,
    get process() {
      return present()
    },
    launch,
    ready: () => readiness,
    start(options) {
      launch(options)
      return readiness
    },
    kill: () => present().kill(),
    end: () => present().end(),
    client() {
      const client = new Client(present().url)
      client.token = token
      return client
    },
    async remove() {
      await process?.kill()
      link.close()
      front.close()
      await server.remove()
      setUp.remove()
    },
  }
}
