import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { defaultLimits, type Launcher, type SandboxSpec, startSandbox } from '@fogbow/sandbox'
import { wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { Piscina } from 'piscina'
import type { Payload } from './payloads.ts'

/** One way to have a payload answered from elsewhere. */
export interface Echo {
  send(payload: Payload): Promise<unknown>
  stop(): Promise<unknown>
}

interface Numbered {
  id: number
  payload: Payload
}

/** The reference: the same data as an object through a bare `postMessage`, and back. */
export function postMessageEcho(): Echo {
  return bareEcho(
    'message',
    (message) => message,
    (message) => message as Numbered,
  )
}

/** The same as JSON, which is read on either side, and nothing else: no way that carries texts can be faster. */
export function jsonEcho(): Echo {
  return bareEcho('JSON.stringify(JSON.parse(message))', JSON.stringify, (message) =>
    JSON.parse(message as string),
  )
}

/** @param answer - what the thread posts for a `message` */
function bareEcho(
  answer: string,
  encode: (message: Numbered) => unknown,
  decode: (message: unknown) => Numbered,
): Echo {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads'); parentPort.on('message', (message) => parentPort.postMessage(${answer}))`,
    { eval: true },
  )
  const pending = new Map<number, (message: unknown) => void>()
  let last = 0
  worker.on('message', (received: unknown) => {
    const message = decode(received)
    const resolve = pending.get(message.id)
    pending.delete(message.id)
    resolve?.(message)
  })
  return {
    send: (payload) =>
      new Promise((resolve) => {
        const id = ++last
        pending.set(id, resolve)
        worker.postMessage(encode({ id, payload }))
      }),
    stop: () => worker.terminate(),
  }
}

export function piscinaEcho(): Echo {
  const pool = new Piscina({
    filename: new URL('./echo-task.ts', import.meta.url).href,
    maxThreads: 1,
    minThreads: 1,
    concurrentTasksPerWorker: 64,
  })
  return { send: (payload) => pool.run(payload), stop: () => pool.destroy() }
}

export function comlinkEcho(): Echo {
  const worker = new Worker(new URL('./echo-comlink.ts', import.meta.url))
  const remote = wrap<{ echo(payload: Payload): Payload }>(nodeEndpoint(worker))
  return { send: (payload) => remote.echo(payload), stop: () => worker.terminate() }
}

/** A plugin that answers each call with an instance of the same size as what it was asked with. */
export async function sandboxEcho(launcher: Launcher): Promise<Echo> {
  const sandbox = await startSandbox(echoSpec(), { launcher })
  return {
    send: ({ order, token }) => sandbox.call('compute.getInstance', [order, token]),
    stop: () => sandbox.stop(),
  }
}

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

export function echoSpec(): SandboxSpec {
  return {
    name: 'echo',
    bundle: { code: echoPlugin, hash: createHash('sha256').update(echoPlugin).digest('hex') },
    config: {},
    kinds: ['compute'],
    limits: defaultLimits,
    host: {},
    onLog: () => {},
  }
}
