import { FogbowError } from '@fogbow/plugin-sdk'

/** A package that cannot become a plugin of this site. @param problem - file, key and what is expected */
export function refusal(packageId: string, problem: string, cause?: unknown): FogbowError {
  return new FogbowError('configuration_error', `Package '${packageId}': ${problem}`, { cause })
}

/** What is not of the catalogue comes from the system: no space, no access. Nothing was switched then. */
export function rethrow(action: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof FogbowError) throw error
    const message = `${action} failed, nothing was changed: ${(error as Error).message}`
    throw new FogbowError('internal_error', message, { cause: error })
  }
}
