import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** Where the user is logged in. The token is only ever sent to `url`. */
export interface Session {
  /** Root of the site, without a slash at the end. */
  url: string
  token: string
}

export interface SessionStore {
  readonly file: string
  /** @returns undefined when nobody is logged in or the file cannot be understood */
  read(): Promise<Session | undefined>
  /** Readable by its owner alone. */
  write(session: Session): Promise<void>
  remove(): Promise<void>
}

/** Keeps the session in `$XDG_CONFIG_HOME/fogbow/session.json` (XDG Base Directory Specification). */
export function createSessionStore(env: NodeJS.ProcessEnv): SessionStore {
  const folder = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config')
  const file = join(folder, 'fogbow', 'session.json')
  return {
    file,
    async read() {
      try {
        const session: unknown = JSON.parse(await readFile(file, 'utf8'))
        return isSession(session) ? session : undefined
      } catch {
        return undefined
      }
    },
    async write(session) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      const draft = `${file}.${process.pid}`
      await writeFile(draft, `${JSON.stringify(session, null, 2)}\n`, { mode: 0o600 })
      await rename(draft, file)
    },
    remove: () => rm(file, { force: true }),
  }
}

function isSession(value: unknown): value is Session {
  if (typeof value !== 'object' || value === null) return false
  const { url, token } = value as Record<string, unknown>
  return typeof url === 'string' && typeof token === 'string'
}
