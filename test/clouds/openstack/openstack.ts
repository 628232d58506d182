import { rmSync } from 'node:fs'
import { createAccounts, createInventory, hostsAreUp, type Inventory, logins } from './accounts.ts'
import { type Login, logIn, type Project } from './api.ts'
import { writeConfiguration } from './configuration.ts'
import { startDatabases } from './databases.ts'
import { environment } from './environment.ts'
import { createPlaces, type Places, services } from './places.ts'
import { createProcesses, type Processes } from './processes.ts'
import {
  bootstrapIdentity,
  installDrivers,
  startApi,
  startBroker,
  startDaemon,
  untilApi,
  untilBroker,
} from './services.ts'

/** A real OpenStack whose machines, networks and disks have nothing behind them. */
export interface OpenStack extends Inventory {
  readonly authUrl: string
  readonly folder: string
  /** How long each part of the start took, ms. */
  readonly tookMs: Readonly<Record<string, number>>
  logIn(as: keyof typeof logins): Promise<Project>
  loginOf(as: keyof typeof logins): Login
  stop(): Promise<void>
}

/** Starts a cloud of its own, on a loopback address of its own; takes about a minute on two cores. */
export async function startOpenStack(): Promise<OpenStack> {
  const places = await createPlaces()
  const processes = createProcesses(places.inside('log'), environment(places))
  const stop = async () => {
    await processes.killAll()
    rmSync(places.folder, { recursive: true, force: true })
  }
  try {
    const tookMs: Record<string, number> = {}
    const inventory = await start(places, processes, measuredInto(tookMs))
    return {
      ...inventory,
      authUrl: places.authUrl,
      folder: places.folder,
      tookMs,
      logIn: (as) => logIn(places.authUrl, logins[as]),
      loginOf: (as) => logins[as],
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

type Measured = <Answer>(what: string, work: () => Promise<Answer>) => Promise<Answer>

function measuredInto(tookMs: Record<string, number>): Measured {
  return async (what, work) => {
    const startedAt = performance.now()
    const answer = await work()
    tookMs[what] = performance.now() - startedAt
    return answer
  }
}

/** Whatever needs nothing of what is still on its way starts meanwhile: most of the time is Python's, loading code. */
async function start(places: Places, processes: Processes, step: Measured): Promise<Inventory> {
  writeConfiguration(places)
  installDrivers(places)
  await step('databases and message queue', async () => {
    await Promise.all([startDatabases(places, processes), startBroker(places, processes)])
    await untilBroker(places, processes)
  })
  await step('identity', async () => {
    await bootstrapIdentity(places)
    startApi(places, processes, 'keystone')
    await untilApi(places, processes, 'keystone')
    await createAccounts(places)
  })
  return step('other services', async () => {
    for (const service of services.slice(1)) startApi(places, processes, service)
    for (const daemon of ['nova-conductor', 'nova-scheduler', 'cinder-scheduler'] as const)
      startDaemon(places, processes, daemon)
    startDaemon(places, processes, 'cinder-volume')
    // It gives up when Placement does not answer.
    await untilApi(places, processes, 'placement')
    startDaemon(places, processes, 'nova-compute')
    for (const service of services) await untilApi(places, processes, service)
    const inventory = await createInventory(places)
    await processes.until('nova-compute', () => hostsAreUp(places))
    return inventory
  })
}
