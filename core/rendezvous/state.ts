import { FogbowError } from '@fogbow/plugin-sdk'
import type { JsonFile } from '../federation/membership/index.ts'
import type { LearntKeys } from './member-keys.ts'
import type { RosterEntry } from './roster.ts'

/** What a rendezvous knows after a restart. */
export interface RendezvousState {
  readonly version: 1
  readonly keys: Readonly<Record<string, LearntKeys>>
  readonly members: readonly RosterEntry[]
}

/**
 * @throws configuration_error when it is damaged: whose keys were pinned once is never taken anew without an administrator
 */
export async function readState(file: JsonFile, where: string): Promise<RendezvousState> {
  let found: unknown
  try {
    found = await file.read()
  } catch (cause) {
    throw problem(where, cause instanceof Error ? cause.message : String(cause))
  }
  if (found === undefined) return { version: 1, keys: {}, members: [] }
  const { version, keys, members } = found as Partial<RendezvousState>
  if (version !== 1 || typeof keys !== 'object' || !Array.isArray(members))
    throw problem(where, 'it is none of this version')
  return { version, keys, members }
}

function problem(where: string, why: string): FogbowError {
  return new FogbowError(
    'configuration_error',
    `State of the rendezvous ${where}: ${why}; restore it, or remove it to meet all members anew`,
  )
}
