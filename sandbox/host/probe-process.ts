import { spawn } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noEnvironment } from './node-arguments.ts'

/** What a process for plugins must be refused. */
export type ProcessReach =
  | 'files'
  | "the site's environment"
  | 'child processes'
  | 'threads'
  | 'addons'
  | 'sockets'
  | 'local sockets'
  | 'signals to the site'
  | 'memory without limit'

export interface ProbeAnswer {
  reached: ProcessReach[]
  /** Why it did not run at all. */
  failure?: string
}

/**
 * Answers with the names of what was not refused. Threads are for Node's permissions alone to deny: under a limit of memory
 * the attempt could end the process.
 */
const attempts = `
const target = JSON.parse(process.argv[1])
const fs = require('node:fs')
const reached = Object.keys(process.env).length > 0 ? ["the site's environment"] : []
const attempt = (what, run) => { try { if (run() !== false) reached.push(what) } catch {} }
attempt('files', () => fs.readFileSync(target.secret))
attempt('files', () => fs.readdirSync(target.folder))
attempt('files', () => fs.writeFileSync(target.trace, ''))
attempt("the site's environment", () => fs.readFileSync('/proc/' + target.pid + '/environ').length > 0)
attempt('child processes', () => !require('node:child_process').spawnSync(process.execPath, ['-v']).error)
if (process.permission) attempt('threads', () => { new (require('node:worker_threads').Worker)('', { eval: true }).terminate() })
attempt('addons', () => { try { process.dlopen({ exports: {} }, target.secret) } catch (error) { return error.code === 'ERR_DLOPEN_FAILED' } })
attempt('memory without limit', () => new ArrayBuffer(target.memory).byteLength > 0)
for (const pid of [target.pid, process.ppid, 0]) attempt('signal', () => process.kill(pid, target.signal) && false)
const sent = () => { fs.writeSync(1, 'reached:' + JSON.stringify(reached)); process.exit() }
let open = 0
const done = () => --open === 0 && setImmediate(sent)
const connect = (what, where) => attempt(what, () => {
  const socket = require('node:net').connect(where)
  open++
  socket.on('connect', () => { reached.push(what); socket.destroy(); done() })
  socket.on('error', done)
  return false
})
open++
connect('sockets', { port: target.port, host: '127.0.0.1' })
connect('local sockets', { path: target.path })
done()
`

/** Ignored by whoever does not ask for it. */
const SIGNAL = 'SIGURG'
const PATIENCE_MS = 10_000
/** More than any plugin may hold, bytes; asked for and not used. */
const MUCH_MEMORY = 8 * 2 ** 30

/**
 * Lets a process that is started like those of plugins try to reach out, and looks for the effect: text of a file, a file
 * that appeared, a connection at a listener, a signal received.
 * @param commandLine - what runs Node with the arguments given
 */
export async function probeProcess(
  commandLine: (nodeArguments: readonly string[]) => string[],
): Promise<ProbeAnswer> {
  const folder = await mkdtemp(join(tmpdir(), 'fogbow-probe-'))
  const reached = new Set<ProcessReach>()
  const servers: Server[] = []
  const onSignal = () => reached.add('signals to the site')
  process.on(SIGNAL, onSignal)
  try {
    const target = {
      folder,
      secret: join(folder, 'secret'),
      trace: join(folder, 'trace'),
      path: join(folder, 'socket'),
      pid: process.pid,
      signal: SIGNAL,
      memory: MUCH_MEMORY,
    }
    await writeFile(target.secret, 'secret')
    const listen = (what: ProcessReach, where: object) =>
      listenFor(where, servers, () => reached.add(what))
    await listen('local sockets', { path: target.path })
    const port = await listen('sockets', { port: 0, host: '127.0.0.1' })
    const [command = '', ...args] = commandLine([
      '-e',
      attempts,
      JSON.stringify({ ...target, port }),
    ])
    const answer = await run(command, args)
    for (const what of answer.reached) reached.add(what)
    if (await stat(target.trace).catch(() => undefined)) reached.add('files')
    return { ...answer, reached: [...reached] }
  } finally {
    process.off(SIGNAL, onSignal)
    for (const server of servers) server.close()
    await rm(folder, { recursive: true })
  }
}

async function listenFor(where: object, servers: Server[], onConnect: () => void): Promise<number> {
  const server = createServer((socket) => {
    onConnect()
    socket.destroy()
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(where, resolve))
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

function run(command: string, args: string[]): Promise<ProbeAnswer> {
  const child = spawn(command, args, {
    cwd: '/',
    env: noEnvironment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  })
  let printed = ''
  let problem = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  child.stderr.on('data', (chunk) => {
    problem += chunk
  })
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ reached: [], failure: error.message }))
    child.on('close', (code, signal) => {
      const answer = printed.startsWith('reached:')
      if (answer) resolve({ reached: JSON.parse(printed.slice('reached:'.length)) })
      else resolve({ reached: [], failure: problem.trim() || `it ended with ${signal ?? code}` })
    })
  })
}
