import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type PackageFiles, writePackage } from './package-files.ts'

const run = promisify(execFile)
const program = join(import.meta.dirname, '../node_modules/verdaccio/bin/verdaccio')
const PATIENCE_MS = 120_000
const PUBLISHER = 'vendor'

/** An npm registry as an organisation runs its own. */
export interface Verdaccio {
  readonly url: string
  /** Of the account that publishes here. */
  readonly token: string
  /** `.npmrc` of that account. */
  readonly npmrc: string
  /** Publishes a folder, a tarball, or files, with the npm client and the token of an account at this registry. */
  publish(folder: string | PackageFiles): Promise<void>
  /** Lets it say that a version was published at another time. */
  backdate(name: string, version: string, at: string): void
  stop(): Promise<void>
}

/** @param access - who may read: everybody, or only who has an account */
export async function startVerdaccio(
  access: '$all' | '$authenticated' = '$all',
): Promise<Verdaccio> {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-verdaccio-'))
  const address = `127.0.0.1:${await freePort()}`
  const url = `http://${address}/`
  writeFileSync(join(folder, 'config.yaml'), configurationOf(access))
  const child = spawn(
    process.execPath,
    [program, '--config', join(folder, 'config.yaml'), '--listen', address],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk
    })
  const npmrc = join(folder, 'npmrc')

  async function stop(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    rmSync(folder, { recursive: true, force: true })
  }

  async function answers(): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS
    for (;;) {
      const answer = await fetch(`${url}-/ping`).catch(() => undefined)
      if (answer?.ok) return
      if (child.exitCode !== null || performance.now() > giveUpAt)
        throw new Error(`The registry does not answer:\n${output}`)
      await pause(50)
    }
  }

  let token: string
  try {
    await answers()
    token = await addAccount(url)
    writeFileSync(npmrc, `registry=${url}\n//${address}/:_authToken=${token}\n`)
  } catch (error) {
    await stop()
    throw error
  }

  return {
    url,
    token,
    npmrc,
    async publish(source) {
      const written = typeof source === 'string' ? undefined : writePackage(source)
      try {
        await run(
          'npm',
          [
            ...['publish', written ?? String(source), '--userconfig', npmrc],
            ...['--ignore-scripts', '--loglevel', 'error'],
          ],
          { cwd: folder, env: { PATH: process.env.PATH, HOME: folder } },
        )
      } finally {
        if (written) rmSync(written, { recursive: true, force: true })
      }
    },
    backdate(name, version, at) {
      const file = join(folder, 'storage', name, 'package.json')
      const document = JSON.parse(readFileSync(file, 'utf8')) as { time: Record<string, string> }
      document.time[version] = at
      writeFileSync(file, JSON.stringify(document))
    },
    stop,
  }
}

/**
 * It knows no other registry: what is not published here does not exist. It checks the password behind the token at each
 * request, for which a hash worth its name takes longer than all else that a package needs.
 */
const configurationOf = (access: string) => `
storage: ./storage
auth:
  htpasswd:
    file: ./htpasswd
    algorithm: bcrypt
    rounds: 4
packages:
  '**':
    access: ${access}
    publish: $authenticated
max_body_size: 100mb
web:
  enable: false
log:
  type: stdout
  format: pretty
  level: warn
`

/** @returns the token, as `npm login` would keep it */
async function addAccount(url: string): Promise<string> {
  const answer = await fetch(`${url}-/user/org.couchdb.user:${PUBLISHER}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: PUBLISHER, password: 'only-for-this-registry' }),
  })
  const { token } = (await answer.json()) as { token?: string }
  if (token) return token
  throw new Error(`The registry gives no token: ${answer.status}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
