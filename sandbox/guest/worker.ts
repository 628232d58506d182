import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { Transport } from '../rpc/transport.ts'
import { createSendingWindow } from '../rpc/window.ts'
import { startNodeGuest } from './node-platform.ts'
import type { PreludeTexts } from './platform.ts'

/** Entry of the guest in a worker thread. */
export function start(): void {
  const { prelude, streams, liveness } = workerData as PreludeTexts & { liveness: MessagePort }
  startNodeGuest({ prelude, streams }, parentTransport(liveness))
}

/** @param liveness - carries questions, which are 0, and how many characters the host has dealt with */
function parentTransport(liveness: MessagePort): Transport {
  const port = parentPort as MessagePort
  const window = createSendingWindow((text) => port.postMessage(text))
  liveness.on('message', (said: number) => {
    if (said === 0) liveness.postMessage(0)
    else window.confirm(said)
  })
  return {
    send: (text) => window.send(text),
    onMessage: (listener) => port.on('message', listener),
    onClose: (listener) => port.on('close', () => listener('the host closed the channel')),
    close: () => port.close(),
  }
}
