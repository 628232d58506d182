import { readFileSync } from 'node:fs'
import { logins } from './accounts.ts'
import { logIn } from './api.ts'
import { type OpenStack, startOpenStack } from './openstack.ts'

/** A cloud for tests: one that `run.ts` keeps running, named by `FOGBOW_TEST_OPENSTACK`, or one of their own. */
export async function cloudUnderTest(): Promise<OpenStack> {
  const file = process.env.FOGBOW_TEST_OPENSTACK
  if (file === undefined) {
    const cloud = await startOpenStack()
    tellStart(cloud)
    return cloud
  }
  const running = JSON.parse(readFileSync(file, 'utf8'))
  return {
    ...running,
    tookMs: {},
    logIn: (as) => logIn(running.authUrl, logins[as]),
    loginOf: (as) => logins[as],
    stop: async () => {},
  }
}

/** With what a compute needs, and no more. */
export async function startSecondCloud(): Promise<OpenStack> {
  const cloud = await startOpenStack({ volumes: false })
  tellStart(cloud)
  return cloud
}

function tellStart({ authUrl, tookMs }: OpenStack): void {
  const parts = Object.entries(tookMs).map(([what, ms]) => `${what} ${(ms / 1000).toFixed(1)} s`)
  console.log(`OpenStack runs at ${authUrl}: ${parts.join(', ')}`)
}
