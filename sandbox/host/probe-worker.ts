import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { FogbowError } from '@fogbow/plugin-sdk'
import { isolatedWorkerOptions } from './worker-options.ts'

/** What a thread without permissions must be refused. */
export type Reach = 'files' | 'child processes' | 'nested workers' | 'addons' | 'sockets'

type WorkerArguments = typeof isolatedWorkerOptions.execArgv

let verdict: Promise<void> | undefined

/**
 * Lets a thread with the options of the worker tier try to reach out, once per process, and looks for the effect: text
 * of a file, names in the folder where the site was started, a file that appeared, a connection at a listener.
 * @throws configuration_error naming what could be reached; the worker tier must then not be used
 */
export function probeWorkerIsolation(): Promise<void> {
  verdict ??= tryToReach().then((reached) => {
    if (reached.length === 0) return
    throw new FogbowError(
      'configuration_error',
      `Threads can reach ${reached.join(', ')} in spite of --permission on Node ${process.version}; plugins cannot be isolated in threads here`,
    )
  })
  return verdict
}

/** Answers with the text read and the names of what was not refused. */
const attempts = `
const { parentPort, workerData } = require('node:worker_threads')
const reached = []
const attempt = (what, run) => { try { if (run() !== false) reached.push(what) } catch {} }
attempt('files', () => require('node:fs').readFileSync(workerData.secret))
attempt('files', () => require('node:fs').readdirSync(workerData.workingFolder))
attempt('files', () => require('node:fs').writeFileSync(workerData.trace, ''))
attempt('child processes', () => !require('node:child_process').spawnSync(process.execPath, ['-v']).error)
attempt('nested workers', () => new (require('node:worker_threads').Worker)('', { eval: true }))
attempt('addons', () => { try { process.dlopen({ exports: {} }, workerData.secret) } catch (error) { return error.code === 'ERR_DLOPEN_FAILED' } })
const done = () => parentPort.postMessage(reached)
attempt('sockets', () => {
  const socket = require('node:net').connect(workerData.port, '127.0.0.1')
  socket.on('connect', () => { reached.push('sockets'); socket.destroy(); done() })
  socket.on('error', done)
  return false
})
`

/** The same attempts under other options; for the test that shows they would succeed. */
export async function tryToReach(execArgv = isolatedWorkerOptions.execArgv): Promise<Reach[]> {
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-probe-'))
  const reached = new Set<Reach>()
  const server = createServer((socket) => {
    reached.add('sockets')
    socket.destroy()
  })
  try {
    const secret = join(folder, 'secret')
    const trace = join(folder, 'trace')
    await writeFile(secret, 'secret')
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const port = (server.address() as { port: number }).port
    const target = { secret, trace, port, workingFolder: process.cwd() }
    for (const what of await runAttempts(target, execArgv)) reached.add(what)
    if (await stat(trace).catch(() => undefined)) reached.add('files')
  } finally {
    server.close()
    await rm(folder, { recursive: true })
  }
  return [...reached]
}

async function runAttempts(workerData: object, execArgv: WorkerArguments): Promise<Reach[]> {
  const worker = new Worker(attempts, { ...isolatedWorkerOptions, execArgv, workerData })
  worker.stdout.resume()
  worker.stderr.resume()
  try {
    return await new Promise<Reach[]>((resolve, reject) => {
      worker.on('message', resolve)
      worker.on('error', reject)
      worker.on('exit', () => reject(new Error('the probe ended without an answer')))
    })
  } finally {
    await worker.terminate()
  }
}
