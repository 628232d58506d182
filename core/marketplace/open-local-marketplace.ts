import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installedSettings, type Marketplace, type SettingsByInstance } from '@fogbow/registry'
import type { Revocations } from '@fogbow/registry/trust'
import { createVendorSchemas } from '@fogbow/sandbox/gate'
import { pino } from 'pino'
import { type ConfigSource, loadConfig, readSecret } from '../config/index.ts'
import { openMarketplace } from './open-marketplace.ts'
import { withSettings } from './settings-layer.ts'

export interface LocalMarketplace {
  marketplace: Marketplace
  revocations: Revocations
  dataDir: string
  close(): Promise<void>
}

const officialFolder = fileURLToPath(new URL('../../plugins-official', import.meta.url))

/**
 * The marketplace of the site that is configured on this machine, by the same policy as that of a site that runs, which
 * takes up what was changed when its configuration is read again.
 */
export async function openLocalMarketplace(source: ConfigSource): Promise<LocalMarketplace> {
  const complete: ConfigSource['complete'] = async (written, dataDir) =>
    withSettings(written, await installedSettings(join(dataDir, 'plugins')))
  const loaded = await loadConfig({ ...source, complete })
  const schemas = createVendorSchemas()
  const opened = await openMarketplace({
    loaded: () => loaded,
    schemas,
    readSecret: (reference, key) => readSecret(reference, key, source.env),
    officialFolder,
    configured: async () => (loaded.written as { plugins?: SettingsByInstance }).plugins ?? {},
    env: source.env,
    clock: { now: Date.now },
    log: pino({ level: 'silent' }),
  })
  return { ...opened, dataDir: loaded.dataDir, close: async () => schemas.close() }
}
