import { FogbowError } from '@fogbow/plugin-sdk'
import { joinPath } from '@fogbow/plugin-sdk/validate'
import type { InstalledPlugin } from '@fogbow/registry'
import type { VendorSchemas } from '@fogbow/sandbox/gate'
import { type LoadedConfig, type PluginConfig, resolveReference } from '../config/index.ts'
import type { SecretReader } from './brokers/broker.ts'

/**
 * Settings of a plugin, completed with the defaults of its own schema.
 * @throws configuration_error naming the key, or the part of the schema that cannot be used
 */
export async function completeSettings(
  name: string,
  config: PluginConfig,
  installed: InstalledPlugin,
  schemas: Pick<VendorSchemas, 'complete'>,
): Promise<Record<string, unknown>> {
  const completion = await schemas.complete(
    installed.manifest.config ?? { type: 'object' },
    config.config,
  )
  if ('settings' in completion) return completion.settings
  const schema = `schema of ${installed.name} ${installed.version}`
  if ('schemaProblem' in completion) {
    const { key, message } = completion.schemaProblem
    const part = joinPath('fogbow.config', key)
    throw wrong(`plugins.${name}.config`, `cannot be checked: ${part} ${message} (${schema})`)
  }
  const { key, message } = completion.settingsProblem
  throw wrong(joinPath(`plugins.${name}.config`, key), `${message} (${schema})`)
}

/** A secret that cannot be read is told at the start, and not when somebody logs in. */
export async function checkSecrets(
  name: string,
  config: PluginConfig,
  installed: InstalledPlugin,
  loaded: LoadedConfig,
  readSecret: SecretReader,
): Promise<void> {
  const asked = installed.manifest.capabilities?.secrets ?? []
  for (const [secret, reference] of Object.entries(secretReferences(config, loaded))) {
    const key = `plugins.${name}.secrets.${secret}`
    if (!asked.includes(secret))
      throw wrong(
        key,
        `is no secret of ${installed.name}, which asks for ${asked.join(', ') || 'none'}`,
      )
    await readSecret(reference, key)
  }
}

export function secretReferences(
  config: PluginConfig,
  loaded: LoadedConfig,
): Record<string, string> {
  const references = Object.entries(config.secrets)
  return Object.fromEntries(
    references.map(([secret, reference]) => [secret, resolveReference(reference, loaded)]),
  )
}

function wrong(key: string, problem: string): FogbowError {
  return new FogbowError('configuration_error', `${key} ${problem}`, { details: { field: key } })
}
