import { parentPort, workerData } from 'node:worker_threads'
import { toErrorRecord } from '@fogbow/plugin-sdk'
import type { GateAnswer } from './build-bundle.ts'
import { type BundleRequest, bundlePackage } from './bundle-package.ts'

const answer: GateAnswer = await bundlePackage(workerData as BundleRequest).then(
  (bundle) => ({ bundle }),
  (error: unknown) => ({ error: toErrorRecord(error) }),
)
parentPort?.postMessage(answer)
