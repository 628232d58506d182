import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { FogbowError } from '@fogbow/plugin-sdk'
import { framedTransport } from './framed-transport.ts'
import { type GuestProgram, loadGuestProgram } from './guest-program.ts'
import { withoutInherited } from './inherited-descriptors.ts'
import type { LaunchedGuest, Launcher, LaunchLimits } from './launcher.ts'
import { nodeArguments, noEnvironment } from './node-arguments.ts'
import { describeExit } from './process-exit.ts'
import { childOf, type ProcessFigures, processFigures } from './process-figures.ts'
import type { ProcessIsolation } from './process-isolation.ts'

export interface ProcessLauncherOptions {
  /** Where the compiled guest may be kept; without it each process compiles it once. */
  cacheDir?: string | undefined
  /** What `detectIsolation` found. */
  isolation: ProcessIsolation
}

export interface ProcessLauncher extends Launcher {
  /** A process can always be killed. */
  readonly zombies: 0
}

const MIB = 1_048_576
const LONGEST_FRAME = 64 * MIB

/** Runs each guest in a process of its own, with no environment, no permissions and whatever walls this machine has. */
export function processLauncher(options: ProcessLauncherOptions): ProcessLauncher {
  const { isolation, cacheDir } = options
  let program: Promise<Buffer> | undefined
  return {
    level: isolation.level,
    zombies: 0,
    async launch(limits) {
      if (isolation.refusal) throw new FogbowError('configuration_error', isolation.refusal)
      program ??= loadGuestProgram('process', cacheDir).then(pack)
      return launchProcess(await program, isolation, limits)
    },
  }
}

/**
 * Reads the guest from its standard input, since it can open no file, and runs it from its compiled form. Asked to
 * `compile`, it answers that form and ends: what is taken from it must never have met a plugin.
 */
const bootstrap = `{
const { readFileSync, writeSync, closeSync } = require('node:fs')
const { Script } = require('node:vm')
const packed = readFileSync(0)
const parts = []
for (let at = 0; at < packed.length; ) {
  const end = at + 4 + packed.readUInt32BE(at)
  parts.push(packed.subarray(at + 4, end))
  at = end
}
const [supervisor, prelude, streams, compiled] = parts
const script = new Script(supervisor.toString(), { filename: 'fogbow-guest.js', cachedData: compiled })
const { start } = script.runInThisContext()(require)
start(prelude.toString(), streams.toString())
if (process.argv[1] === 'compile') {
  const made = script.createCachedData()
  for (let at = 0; at < made.length; ) at += writeSync(1, made, at)
  process.exit()
}
}`

const COMPILE_PATIENCE_MS = 10_000

async function pack(program: GuestProgram): Promise<Buffer> {
  const { supervisor, prelude, streams } = program
  const texts = [supervisor, prelude, streams].map((text) => Buffer.from(text))
  const compiled = program.compiled ?? (await compile(packParts(texts)))
  if (!program.compiled && compiled) program.keepCompiled(compiled)
  return packParts(compiled ? [...texts, compiled] : texts)
}

function packParts(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(part.length)
      return [length, part]
    }),
  )
}

/** Without a compiled form starts take longer, nothing else. */
function compile(packed: Buffer): Promise<Buffer | undefined> {
  const child = spawn(process.execPath, [...nodeArguments, '-e', bootstrap, 'compile'], {
    cwd: '/',
    env: noEnvironment,
    stdio: ['pipe', 'pipe', 'ignore', 'pipe', 'pipe'],
    timeout: COMPILE_PATIENCE_MS,
    killSignal: 'SIGKILL',
  })
  feed(child, packed)
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve) => {
    child.on('error', () => resolve(undefined))
    child.on('close', (code) => resolve(code === 0 ? Buffer.concat(chunks) : undefined))
  })
}

function launchProcess(
  packed: Buffer,
  isolation: ProcessIsolation,
  limits: LaunchLimits,
): LaunchedGuest {
  const [command = '', ...args] = isolation.commandLine(
    [...nodeArguments, `--max-old-space-size=${limits.memoryMiB}`, '-e', bootstrap],
    limits,
  )
  const child = withoutInherited(['pipe', 'pipe', 'pipe', 'pipe', 'pipe'], (stdio) =>
    spawn(command, args, {
      cwd: '/',
      env: noEnvironment,
      detached: true,
      windowsHide: true,
      stdio,
    }),
  )
  feed(child, packed)
  const exited = exitOf(child)
  const transport = framedTransport({
    socket: child.stdio[3] as unknown as Socket,
    longestFrame: LONGEST_FRAME,
    mostUnread: limits.memoryMiB * MIB,
    exited,
  })
  const figures = guestFigures(child.pid, isolation)
  const ping = createPing(child.stdio[4] as unknown as Socket)
  return {
    transport,
    ping,
    busyShare: () => figures()?.busyShare() ?? 0,
    residentBytes: () => figures()?.residentBytes() ?? 0,
    usage: async () => figures()?.usage(),
    async kill() {
      killGroup(child)
      await exited
      return 'dead'
    },
    exited,
  }
}

function feed(child: ChildProcess, packed: Buffer): void {
  // A process that is gone before it has read says so by its exit.
  child.stdin?.on('error', () => {})
  child.stdin?.end(packed)
}

/** A sign of life is one byte each way. */
function createPing(socket: Socket): LaunchedGuest['ping'] {
  const waiting: (() => void)[] = []
  socket.on('data', () => {
    for (const onPong of waiting.splice(0)) onPong()
  })
  socket.on('error', () => {})
  return (onPong) => {
    waiting.push(onPong)
    socket.write('?')
  }
}

/** Known as soon as the guest itself runs, behind what starts it. */
function guestFigures(
  pid: number | undefined,
  isolation: ProcessIsolation,
): () => ProcessFigures | undefined {
  let figures: ProcessFigures | undefined
  return () => {
    if (!figures && pid) {
      const guest = isolation.hasStarter ? childOf(pid) : pid
      figures = guest === undefined ? undefined : processFigures(guest)
    }
    return figures
  }
}

/** It is the first of a group of its own, and so is what starts it. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid) process.kill(-child.pid, 'SIGKILL')
  } catch {
    child.kill('SIGKILL')
  }
}

/** What a process prints is not for the site's output: the beginning may tell why it ended, the rest is not read. */
const MOST_OUTPUT = 65_536

function exitOf(child: ChildProcess): Promise<string> {
  const printed = collectOutput(child)
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(`its process could not be started: ${error.message}`))
    child.on('exit', (code, signal) => resolve(describeExit(code, signal, printed())))
  })
}

function collectOutput(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.length > MOST_OUTPUT) stream.destroy()
    })
    stream?.on('error', () => {})
  }
  return () => text
}
