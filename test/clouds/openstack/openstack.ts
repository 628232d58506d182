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

export interface OpenStackOptions {
  /** Whether it has Cinder. */
  volumes?: boolean
}

/** Starts a cloud of its own, on a loopback address of its own; takes half a minute on two cores. */
export async function startOpenStack({
  volumes = true,
}: OpenStackOptions = {}): Promise<OpenStack> {
  const places = await createPlaces(volumes ? services : withoutVolumes)
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

const withoutVolumes = services.filter((service) => service !== 'cinder')

type Measured = <Answer>(what: string, work: () => Promise<Answer>) => Promise<Answer>

function measuredInto(tookMs: Record<string, number>): Measured {
  return async (what, work) => {
    const startedAt = performance.now()
    const answer = await work()
    tookMs[what] = performance.now() - startedAt
    return answer
  }
}

/**
 * Most of the time is Python's, loading code: each service starts as soon as what it asks while it starts is there, and
 * accounts are made while the others load.
 */
async function start(places: Places, processes: Processes, step: Measured): Promise<Inventory> {
  writeConfiguration(places)
  installDrivers(places)
  const hasVolumes = places.services.includes('cinder')
  await step('databases and message queue', async () => {
    await Promise.all([startDatabases(places, processes), startBroker(places, processes)])
    await untilBroker(places, processes)
  })
  await step('services', async () => {
    startApi(places, processes, 'keystone')
    await bootstrapIdentity(places)
    for (const service of places.services.slice(1)) startApi(places, processes, service)
    startDaemon(places, processes, 'nova-conductor')
    if (hasVolumes)
      for (const daemon of ['cinder-scheduler', 'cinder-volume'] as const)
        startDaemon(places, processes, daemon)
    await untilApi(places, processes, 'keystone')
    await createAccounts(places)
    // These give up when Placement does not answer.
    await untilApi(places, processes, 'placement')
    for (const daemon of ['nova-scheduler', 'nova-compute'] as const)
      startDaemon(places, processes, daemon)
    for (const service of places.services) await untilApi(places, processes, service)
  })
  return step('inventory', async () => {
    const inventory = await createInventory(places)
    await processes.until('nova-scheduler', () => hostsAreUp(places))
    return inventory
  })
}
