import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { asFogbowError, sdkVersion } from '@fogbow/plugin-sdk'
import { readSecret } from '../config/index.ts'
import { openJsonFile } from '../federation/membership/index.ts'
import { openSiteKeys } from '../federation/trust/index.ts'
import {
  createXmppComponent,
  type Log,
  serveDiscovery,
  systemClock,
} from '../federation/xmpp/index.ts'
import { createLog } from '../telemetry/index.ts'
import { type LoadedRendezvousConfig, loadRendezvousConfig } from './config.ts'
import { type MetricsServer, serveMetrics } from './metrics.ts'
import { RENDEZVOUS_FEATURES, type Rendezvous, startRendezvous } from './rendezvous.ts'
import { createWhiteList } from './white-list.ts'

export interface RunningRendezvous {
  readonly rendezvous: Rendezvous
  /** What members write into their configuration, so that they can check its statements: `kid:key`. */
  readonly key: string
  readonly metricsUrl?: string
  stop(): Promise<void>
}

/** Runs a rendezvous until it is told to stop by SIGINT or SIGTERM. Sets the exit code when it cannot start. */
export async function main(options: { configFile?: string } = {}): Promise<void> {
  try {
    const loaded = await loadRendezvousConfig(options.configFile, process.cwd())
    const log = createLog(loaded.config.log.level, loaded.config.jid)
    const running = await runRendezvous(loaded, process.env, log)
    announce(loaded, running)
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => void running.stop())
  } catch (error) {
    process.stderr.write(`fogbow rendezvous: ${asFogbowError(error).message}\n`)
    process.exitCode = 1
  }
}

/** @throws configuration_error with nothing left running */
export async function runRendezvous(
  { config, dataDir, whiteList, secret }: LoadedRendezvousConfig,
  env: NodeJS.ProcessEnv,
  log: Log,
): Promise<RunningRendezvous> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const keys = await openSiteKeys(dataDir)
  const { host, port } = config.xmpp
  const component = createXmppComponent(
    { jid: config.jid, host, port, secret: await readSecret(secret, 'xmpp.secret', env) },
    { log },
  )
  const stateName = join(dataDir, 'rendezvous.json')
  const rendezvous = await startRendezvous({
    component,
    settings: config,
    whiteList: createWhiteList({ written: whiteList, log }),
    keys,
    state: openJsonFile(stateName),
    stateName,
    clock: systemClock,
    log,
  })
  serveDiscovery(component, () => ({
    identities: [{ category: 'component', type: 'generic', name: 'Fogbow rendezvous' }],
    features: RENDEZVOUS_FEATURES,
    software: { name: 'fogbow-rendezvous', version: sdkVersion },
  }))
  component.start()
  let metrics: MetricsServer | undefined
  const stop = async () => {
    await metrics?.close()
    await rendezvous.stop()
    await component.stop()
  }
  try {
    if (config.metrics) metrics = await serveMetrics(config.metrics, rendezvous, component)
  } catch (error) {
    await stop()
    throw error
  }
  const [key = ''] = keys.announced
  return { rendezvous, key, ...(metrics && { metricsUrl: metrics.url }), stop }
}

function announce(
  { config, file, dataDir }: LoadedRendezvousConfig,
  { key, metricsUrl }: RunningRendezvous,
): void {
  const lines = [
    `Rendezvous ${config.jid} is ready`,
    `  configuration  ${file}`,
    `  data           ${dataDir}`,
    `  key            ${key}   (members need it to check its statements)`,
    ...(metricsUrl ? [`  metrics        ${metricsUrl}`] : []),
  ]
  process.stderr.write(`${lines.join('\n')}\n`)
}
