import { FogbowError } from '@fogbow/plugin-sdk'
import type { HostMethod } from '@fogbow/sandbox'
import type { SecretReader } from './broker.ts'

/** `secrets.get`: the secrets that the manifest names and the configuration fills in, read anew each time. */
export function secretsBroker(
  plugin: string,
  wanted: readonly string[],
  references: Readonly<Record<string, string>>,
  read: SecretReader,
): Record<string, HostMethod> {
  return {
    'secrets.get': async ([name]) => {
      if (typeof name !== 'string' || !wanted.includes(name)) {
        throw new FogbowError(
          'unauthorized',
          `Plugin '${plugin}' asks for the secret '${name}', which its manifest does not name`,
        )
      }
      const key = `plugins.${plugin}.secrets.${name}`
      const reference = Object.hasOwn(references, name) ? references[name] : undefined
      if (reference === undefined)
        throw new FogbowError('configuration_error', `${key} is not configured`)
      return read(reference, key)
    },
  }
}
