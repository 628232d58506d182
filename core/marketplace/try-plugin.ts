import { asFogbowError, type ErrorCode, FogbowError } from '@fogbow/plugin-sdk'
import type { LivePlugin } from '../plugins/index.ts'

/** A question that any plugin of a kind can be asked: it changes nothing, and every right plugin answers or refuses. */
interface Probe {
  method: string
  args: readonly unknown[]
}

const nobody = { id: 'nobody', identityProviderId: 'nowhere', name: '', roles: [] }

/** Tokens of nobody: a plugin refuses them, or does not look at them. */
const probes: readonly Probe[] = [
  { method: 'tokenGenerator.createTokenValue', args: [{}] },
  { method: 'federationIdentity.getFederationUserToken', args: [''] },
  { method: 'image.getAllImages', args: [{}] },
  { method: 'spec.getAllSpecs', args: [{}] },
  { method: 'quota.getUserQuota', args: [{}] },
  { method: 'federationToLocalMapper.getToken', args: [nobody] },
]

/** Of the plugin itself, whatever it was asked. */
const ownFailures: ReadonlySet<ErrorCode> = new Set(['plugin_failure', 'timeout', 'internal_error'])

/**
 * Whether a version that was started may take over: its own check of what it needs, then questions that it must be able
 * to answer. What the version before fails at as well says nothing against the new one.
 * @throws plugin_failure, or what the plugin's check threw
 */
export async function tryPlugin(next: LivePlugin, before: LivePlugin | undefined): Promise<void> {
  if (next.offered.has('health.check')) await checkHealth(next)
  for (const probe of probes) {
    if (!next.offered.has(probe.method)) continue
    const failure = await failureOf(next, probe)
    if (!failure) continue
    const failedBefore = before?.offered.has(probe.method) && (await failureOf(before, probe))
    if (!failedBefore) throw failed(next, probe.method, failure)
  }
}

async function checkHealth(plugin: LivePlugin): Promise<void> {
  try {
    await plugin.call('health.check', [])
  } catch (cause) {
    const { code, message } = asFogbowError(cause)
    const problem = `${plugin.packageName} ${plugin.version} cannot work as '${plugin.name}': ${message}`
    throw new FogbowError(code, problem, { cause })
  }
}

async function failureOf(plugin: LivePlugin, probe: Probe): Promise<FogbowError | undefined> {
  try {
    await plugin.call(probe.method, probe.args)
    return undefined
  } catch (error) {
    const known = asFogbowError(error)
    return ownFailures.has(known.code) ? known : undefined
  }
}

function failed(plugin: LivePlugin, method: string, cause: FogbowError): FogbowError {
  const message = `${plugin.packageName} ${plugin.version} failed its trial at ${method}: ${cause.message}`
  return new FogbowError('plugin_failure', message, { cause })
}
