import { FogbowError } from '@fogbow/plugin-sdk'

/** A package that cannot become a plugin of this site. @param problem - file, key and what is expected */
export function refusal(packageId: string, problem: string, cause?: unknown): FogbowError {
  return new FogbowError('configuration_error', `Package '${packageId}': ${problem}`, { cause })
}
