import { type MessagePort, parentPort } from 'node:worker_threads'
import { expose } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'

/** Thread of `comlinkEcho`. */
expose({ echo: (payload: unknown) => payload }, nodeEndpoint(parentPort as MessagePort))
