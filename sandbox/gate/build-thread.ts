import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { toErrorRecord } from '@fogbow/plugin-sdk'
import type { GateAnswer } from './build-bundle.ts'
import { type BundleRequest, bundlePackage } from './bundle-package.ts'

const children: ChildProcess[] = []
subscribe('child_process', (message) => {
  children.push((message as { process: ChildProcess }).process)
})
const answer: GateAnswer = await bundlePackage(workerData as BundleRequest).then(
  (bundle) => ({ bundle }),
  (error: unknown) => ({ error: toErrorRecord(error) }),
)
// A thread that ends before its bundler leaves a dead process that nobody collects as long as the site runs.
await Promise.all(children.map(ended))
parentPort?.postMessage(answer)

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.ref()
  await once(child, 'exit')
}
