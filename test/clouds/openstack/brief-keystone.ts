import { join } from 'node:path'
import { environment } from './environment.ts'
import type { OpenStack } from './openstack.ts'
import { createProcesses } from './processes.ts'
import { startApi, untilApi } from './services.ts'

const PORT = 5001

/** A second Keystone of a cloud, with its accounts and keys, whose tokens are good for seconds. */
export async function startBriefKeystone(
  { authUrl, folder }: OpenStack,
  seconds: number,
): Promise<{ authUrl: string; stop(): Promise<void> }> {
  const { hostname: address } = new URL(authUrl)
  const url = `http://${address}:${PORT}`
  const places = {
    address,
    portOf: () => PORT,
    urlOf: () => url,
    inside: (...path: string[]) => join(folder, ...path),
  }
  const processes = createProcesses(places.inside('log'), environment({ folder }))
  const stop = () => processes.killAll()
  try {
    startApi(places, processes, 'keystone', { OS_TOKEN__EXPIRATION: String(seconds) })
    await untilApi(places, processes, 'keystone')
  } catch (error) {
    await stop()
    throw error
  }
  return { authUrl: `${url}/v3`, stop }
}
