import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe } from 'node:test'
import {
  detectIsolation,
  findCommands,
  type Launcher,
  type ProcessIsolation,
  processLauncher,
  type Sandbox,
  type SandboxSpec,
  startSandbox,
  workerLauncher,
} from '@fogbow/sandbox'
import { bundleSpec } from './hostile-plugin.ts'
import type { Tier } from './tiers.ts'

/**
 * What a guest would be whose inner walls have all fallen: a script of the attacker in the place of ours, in the very thread
 * or process that plugins run in. It is put into the cache of the launcher, which takes it for the guest.
 */
export interface RawTier extends Tier {
  /** Starts a guest that runs `script` and stops it after `use`. */
  with(
    script: string,
    use: (sandbox: Sandbox) => Promise<void>,
    changes?: Partial<SandboxSpec>,
  ): Promise<void>
  start(script: string, changes?: Partial<SandboxSpec>): Promise<Sandbox>
}

export async function rawTiers(): Promise<RawTier[]> {
  return [
    rawTier('worker', (cacheDir) => workerLauncher({ cacheDir })),
    processTier(await detectIsolation()),
  ]
}

/** As on a machine that allows no namespaces; undefined where there are none anyway. */
export async function rawTierWithoutNamespaces(): Promise<RawTier | undefined> {
  const { level } = await detectIsolation()
  if (level === 'process') return undefined
  return processTier(await detectIsolation({ commands: { ...findCommands(), unshare: undefined } }))
}

function processTier(isolation: ProcessIsolation): RawTier {
  return rawTier('process', (cacheDir) => processLauncher({ cacheDir, isolation }))
}

/** Runs the same tests with raw guests of each tier. */
export async function withRawGuests(
  tests: (tier: RawTier) => void,
  more: readonly (RawTier | undefined)[] = [],
): Promise<void> {
  const tiers = [...(await rawTiers()), ...more].filter((tier) => tier !== undefined)
  for (const tier of tiers) describe(`in the ${tier.level} tier`, () => tests(tier))
}

function rawTier(entry: 'worker' | 'process', create: (cacheDir: string) => Launcher): RawTier {
  const folder = mkdtempSync(join(tmpdir(), 'fogbow-raw-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const honest = join(folder, 'honest')
  const launcher = create(honest)
  let filled: Promise<void> | undefined

  async function start(script: string, changes: Partial<SandboxSpec> = {}): Promise<Sandbox> {
    filled ??= fillCache(launcher)
    await filled
    const cacheDir = mkdtempSync(join(folder, 'hostile-'))
    cpSync(honest, cacheDir, { recursive: true })
    const guest = join(cacheDir, readdirSync(cacheDir)[0] ?? '')
    rmSync(join(guest, `${entry}.bin`), { force: true })
    writeFileSync(join(guest, `${entry}.js`), guestSource(entry, script))
    return startSandbox(bundleSpec('', { kinds: [], ...changes }), { launcher: create(cacheDir) })
  }

  return {
    level: launcher.level,
    launcher,
    start,
    async with(script, use, changes) {
      const sandbox = await start(script, changes)
      try {
        await use(sandbox)
      } finally {
        await sandbox.stop()
      }
    },
  }
}

/** A first launch fills the cache, in whose copies the guest is then replaced. */
async function fillCache(launcher: Launcher): Promise<void> {
  const guest = await launcher.launch({ memoryMiB: 128 })
  await guest.kill()
}

/**
 * A script has `require`, `send(text)` (in a thread: anything), `sendBytes(bytes)` past all framing (in a process only),
 * `receive(listener)` for each message, and `offer(names)` that answers the first call, which loads the plugin.
 */
function guestSource(entry: 'worker' | 'process', script: string): string {
  return `(function (require) { return { start() {
    const tier = ${JSON.stringify(entry)}
    const listeners = []
    const receive = (listener) => listeners.push(listener)
    const arrive = (text) => { for (const message of JSON.parse(text)) for (const listener of listeners) listener(message) }
    const offer = (names) => receive(([type, id, method]) => { if (type === 0 && method === 'load') send(JSON.stringify([[1, id, names]])) })
    ${entry === 'worker' ? workerChannel : processChannel}
    ${script}
  } } })`
}

const workerChannel = `
    const { parentPort } = require('node:worker_threads')
    const send = (value) => parentPort.postMessage(value)
    parentPort.on('message', arrive)`

const processChannel = `
    const socket = new (require('node:net').Socket)({ fd: 3, readable: true, writable: true })
    socket.on('error', () => process.exit())
    socket.on('close', () => process.exit())
    const sendBytes = (bytes) => socket.write(bytes)
    const send = (text) => { const body = Buffer.from(text); const frame = Buffer.alloc(4 + body.length); frame.writeUInt32BE(body.length); body.copy(frame, 4); socket.write(frame) }
    let bytes = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE()) {
        const end = 4 + bytes.readUInt32BE()
        const text = bytes.toString('utf8', 4, end)
        bytes = bytes.subarray(end)
        arrive(text)
      }
    })`
