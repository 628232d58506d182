import { createHash, randomBytes, randomInt, randomUUID } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { defaultLimits, type Sandbox, startSandbox } from '@fogbow/sandbox'
import { atLeast, atMost, type BenchResult, median } from './result.ts'

/** One way to have 1 KB echoed by another thread. */
interface Echo {
  send(payload: Payload): Promise<unknown>
}

type Payload = ReturnType<typeof makePayload>

const ROUNDS = 25
const WARM_UP_ROUNDS = 4
const ROUND_TRIPS = 400
const CALLS = 4000
const IN_FLIGHT = 64

/**
 * What a call into the sandbox costs beside the same data sent as an object through a bare `postMessage`: contracts,
 * checks, deadline and isolation included. Both run in turns in one process, every call with a payload of its own; the
 * figures are medians of the ratios of neighbouring turns, since other work on the machine disturbs both alike.
 */
export default async function sandboxCall(): Promise<BenchResult[]> {
  const payloads = Array.from({ length: 2048 }, () => asStored(makePayload()))
  const raw = startRawEcho()
  const sandbox = await startEchoPlugin()
  const called: Echo = {
    send: ({ order, token }) => sandbox.call('compute.getInstance', [order, token]),
  }
  try {
    const rounds: Round[] = []
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      rounds.push({
        rawUs: await roundTripUs(raw, payloads),
        sandboxUs: await roundTripUs(called, payloads),
        rawPerSecond: await callsPerSecond(raw, payloads),
        sandboxPerSecond: await callsPerSecond(called, payloads),
      })
    }
    return compare(rounds.slice(WARM_UP_ROUNDS))
  } finally {
    await sandbox.stop()
    await raw.stop()
  }
}

interface Round {
  rawUs: number
  sandboxUs: number
  rawPerSecond: number
  sandboxPerSecond: number
}

function compare(rounds: Round[]): BenchResult[] {
  const of = (read: (round: Round) => number) => median(rounds.map(read))
  return [
    atMost(
      'sandbox call: round trip of 1 KB against postMessage',
      of(({ sandboxUs, rawUs }) => sandboxUs / rawUs),
      1.1,
      'ratio',
      { rawUs: of(({ rawUs }) => rawUs), sandboxUs: of(({ sandboxUs }) => sandboxUs) },
    ),
    atLeast(
      'sandbox call: calls/s with 64 in flight against postMessage',
      of(({ sandboxPerSecond, rawPerSecond }) => sandboxPerSecond / rawPerSecond),
      1.3,
      'ratio',
      {
        rawPerSecond: of(({ rawPerSecond }) => rawPerSecond),
        sandboxPerSecond: of(({ sandboxPerSecond }) => sandboxPerSecond),
      },
    ),
  ]
}

/** What a cloud plugin is asked with when a compute is looked at, about 1 KB: an order and a token. */
function makePayload() {
  const text = (length: number) => randomBytes(length).toString('base64url')
  return {
    order: {
      orderId: randomUUID(),
      instanceId: randomUUID(),
      name: `node-${text(6)}`,
      owner: { id: text(16), identityProviderId: 'lab.example.org' },
      request: {
        name: `node-${text(6)}`,
        vCPU: randomInt(1, 16),
        ram: randomInt(1, 32) * 1024,
        disk: randomInt(10, 100),
        imageId: randomUUID(),
        publicKey: `ssh-ed25519 ${text(51)}`,
        networkIds: [randomUUID(), randomUUID()],
        userData: [
          {
            extraUserDataFileType: 'CLOUD_CONFIG',
            extraUserDataFileContent: text(60),
            tag: 'setup',
          },
        ],
        requirements: { zone: 'nova', pool: text(6) },
      },
    },
    token: {
      user: text(12),
      project: randomUUID(),
      value: text(90),
      expiresAt: Date.now() + randomInt(3_600_000),
    },
  }
}

/** Answers each call with an instance of the same size as what it was asked with. */
const echoPlugin = `
module.exports.default = {
  create: () => ({
    compute: {
      async getInstance(order, token) {
        return { state: 'READY', cloudState: 'ACTIVE', vCPU: order.request.vCPU, ram: order.request.ram, disk: order.request.disk, order, token }
      },
      async requestInstance() {},
      async deleteInstance() {},
    },
  }),
}
`

/** Orders and tokens come out of a store or a request, so their texts are whole, not pieces joined a moment ago. */
function asStored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}

function startRawEcho(): Echo & { stop(): Promise<unknown> } {
  const worker = new Worker(
    "const { parentPort } = require('node:worker_threads'); parentPort.on('message', (message) => parentPort.postMessage(message))",
    { eval: true },
  )
  const pending = new Map<number, (message: unknown) => void>()
  let last = 0
  worker.on('message', (message: { id: number }) => {
    const resolve = pending.get(message.id)
    pending.delete(message.id)
    resolve?.(message)
  })
  return {
    send: (payload) =>
      new Promise((resolve) => {
        const id = ++last
        pending.set(id, resolve)
        worker.postMessage({ id, payload })
      }),
    stop: () => worker.terminate(),
  }
}

function startEchoPlugin(): Promise<Sandbox> {
  return startSandbox({
    name: 'echo',
    bundle: { code: echoPlugin, hash: createHash('sha256').update(echoPlugin).digest('hex') },
    config: {},
    kinds: ['compute'],
    limits: defaultLimits,
    host: {},
    onLog: () => {},
  })
}

async function roundTripUs(echo: Echo, payloads: Payload[]): Promise<number> {
  const times: number[] = []
  for (let call = 0; call < ROUND_TRIPS; call++) {
    const start = performance.now()
    await echo.send(payloads[call % payloads.length] as Payload)
    times.push((performance.now() - start) * 1000)
  }
  return median(times)
}

async function callsPerSecond(echo: Echo, payloads: Payload[]): Promise<number> {
  let call = 0
  const start = performance.now()
  const caller = async () => {
    while (call < CALLS) await echo.send(payloads[call++ % payloads.length] as Payload)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller))
  return CALLS / ((performance.now() - start) / 1000)
}

if (import.meta.main) for (const line of await sandboxCall()) console.log(JSON.stringify(line))
