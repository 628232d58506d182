import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from './client.ts'

const root = join(import.meta.dirname, '../../..')
const START_TIMEOUT_MS = 180_000
export const ADMIN_PASSWORD = 'correct-horse-battery'

export interface SiteOptions {
  /** Text of `fogbow.config.ts`; the one of the checkout when absent. */
  config?: string
  env?: Record<string, string>
  /** Kept from an earlier site. */
  folder?: string
  /** Program and arguments that become the site, such as the way into another network. */
  through?: readonly string[]
}

/** A site as an administrator runs it: a process of its own, reached over HTTP alone. */
export class SiteProcess {
  readonly folder: string
  readonly process: ChildProcess
  url = ''
  output = ''
  readonly #keepFolder: boolean

  private constructor(folder: string, child: ChildProcess, keepFolder: boolean) {
    this.folder = folder
    this.process = child
    this.#keepFolder = keepFolder
    child.stdout?.on('data', (chunk) => this.#note(chunk))
    child.stderr?.on('data', (chunk) => this.#note(chunk))
  }

  /** Starts a site and waits until it says that it is ready. */
  static async start(options: SiteOptions = {}): Promise<SiteProcess> {
    const site = SiteProcess.launch(options)
    try {
      site.url = await site.says(/ is ready at (http:\S+)/)
    } catch (error) {
      await site.stop()
      throw error
    }
    return site
  }

  /** Starts a site that may well refuse to run. */
  static launch(options: SiteOptions = {}): SiteProcess {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'fogbow-site-'))
    const file = join(folder, 'fogbow.config.ts')
    if (options.config !== undefined) writeFileSync(file, options.config)
    const [program = '', ...args] = [...(options.through ?? []), process.execPath]
    const child = spawn(
      program,
      [...args, '--max-semi-space-size=4', join(root, 'core/cli/bin.mjs'), 'start'],
      {
        cwd: root,
        env: {
          ...process.env,
          PORT: '0',
          FOGBOW_DATA_DIR: join(folder, 'data'),
          FOGBOW_ADMIN_PASSWORD: ADMIN_PASSWORD,
          FOGBOW_CONFIG: options.config === undefined ? join(root, 'fogbow.config.ts') : file,
          ...options.env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    return new SiteProcess(folder, child, options.folder !== undefined)
  }

  /** The first group of a pattern, once the site has printed it. */
  says(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail(`did not say ${pattern} in time`), START_TIMEOUT_MS)
      const look = () => {
        const match = pattern.exec(this.output)
        if (match) finish(() => resolve(match[1] ?? match[0]))
        else if (this.process.exitCode !== null) fail(`ended with ${this.process.exitCode}`)
        else if (this.process.signalCode !== null) fail(`was ended by ${this.process.signalCode}`)
      }
      const fail = (why: string) =>
        finish(() => reject(new Error(`the site ${why}:\n${this.output}`)))
      const finish = (settle: () => void) => {
        clearTimeout(timer)
        this.process.stdout?.off('data', look)
        this.process.stderr?.off('data', look)
        this.process.off('exit', look)
        settle()
      }
      this.process.stdout?.on('data', look)
      this.process.stderr?.on('data', look)
      this.process.on('exit', look)
      look()
    })
  }

  client(): Client {
    return new Client(this.url)
  }

  async admin(): Promise<Client> {
    const client = this.client()
    await client.login('admin', ADMIN_PASSWORD)
    return client
  }

  /** The process is gone between one instruction and the next. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const gone = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await gone
  }

  /** Asks it to stop, as an administrator does. @returns the exit code */
  async end(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const gone = once(this.process, 'exit')
      this.process.kill('SIGTERM')
      await gone
    }
    return this.process.exitCode
  }

  async exited(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null)
      await once(this.process, 'exit')
    return this.process.exitCode
  }

  async stop(): Promise<void> {
    await this.end()
    if (!this.#keepFolder) rmSync(this.folder, { recursive: true, force: true })
  }

  #note(chunk: Buffer): void {
    this.output = (this.output + chunk.toString()).slice(-200_000)
  }
}

/** A configuration like that of the checkout, changed where a test needs it. */
export function siteConfig(changes: { emulated?: object; site?: object } = {}): string {
  const config = {
    site: { id: 'site-a.test' },
    log: { level: 'warn' },
    http: { requestsPerMinute: 0, failedLoginsPerMinute: 0 },
    plugins: {
      identity: {
        package: join(root, 'plugins-official/local-identity'),
        config: { issuer: 'site-a.test' },
        secrets: { users: 'file:{dataDir}/users.json' },
      },
      roles: {
        package: join(root, 'plugins-official/role-authorization'),
        config: { site: 'site-a.test' },
      },
      account: {
        package: join(root, 'plugins-official/single-account'),
        config: { withoutCredentials: true },
      },
      emulated: {
        package: join(root, 'plugins-official/emulated-cloud'),
        config: changes.emulated ?? {},
      },
    },
    aaa: {
      tokenGenerator: 'identity',
      federationIdentity: 'identity',
      authentication: 'identity',
      authorization: 'roles',
    },
    clouds: { emulated: { plugin: 'emulated', mapper: 'account' } },
    ...changes.site,
  }
  return `export default ${JSON.stringify(config, null, 2)}\n`
}
