import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { FogbowError } from '@fogbow/plugin-sdk'

export interface SiteProcessOptions {
  /** Absolute path of the command `fogbow`, JavaScript. */
  command: string
  configFile: string
  dataDir: string
  port: number
  password: string
  /** Every line that it prints, once it is ready. */
  onLine(line: string): void
}

/** A site in a process of its own. */
export interface SiteProcess {
  readonly url: string
  /** Exit code; resolves whenever and however it ends. */
  readonly ended: Promise<number | null>
  stop(): Promise<void>
}

const READY = / is ready at (http\S+)/
const STOP_PATIENCE_MS = 15_000

/** @throws unavailable_provider with what it printed when it ends before it is ready */
export async function startSiteProcess(options: SiteProcessOptions): Promise<SiteProcess> {
  const { command, configFile, dataDir, port, password } = options
  const start = ['start', '--config', configFile, '--data-dir', dataDir, '--port', String(port)]
  // The packages of the project are TypeScript, which Node leaves alone inside node_modules.
  const typescript = ['--import', import.meta.resolve('@fogbow/plugin-sdk/typescript')]
  const child = spawn(process.execPath, [...typescript, command, ...start], {
    // The terminal's own signals go to whoever started it, who ends it once.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FOGBOW_ADMIN_PASSWORD: password },
  })
  const ended = endOf(child)
  const printed: string[] = []
  const url = await new Promise<string>((resolve, reject) => {
    let isReady = false
    const onLine = (line: string) => {
      const address = isReady ? undefined : READY.exec(line)?.[1]
      if (address !== undefined) {
        isReady = true
        resolve(address)
      }
      if (isReady) options.onLine(line)
      else printed.push(line)
    }
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', onLine)
    void ended.then(() => reject(failed(printed)))
  })
  return { url, ended, stop: () => stop(child, ended) }
}

async function endOf(child: ChildProcess): Promise<number | null> {
  try {
    const [code] = await once(child, 'close')
    return code as number | null
  } catch {
    return null
  }
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS)
  await ended
  clearTimeout(late)
}

function failed(printed: readonly string[]): FogbowError {
  return new FogbowError('unavailable_provider', `The site did not start:\n${printed.join('\n')}`)
}
