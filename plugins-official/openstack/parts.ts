import type { CallContext, LocalToken, PluginHost } from '@fogbow/plugin-sdk'
import type { Cloud } from './api/cloud.ts'
import type { Settings } from './config.ts'
import type { Once } from './once.ts'

/** What every part works with. */
export interface Parts {
  readonly config: Settings
  readonly host: Pick<PluginHost, 'clock' | 'log'>
  readonly once: Once
  open(token: LocalToken, call: CallContext): Promise<Cloud>
}

/** An id as a segment of a path: it comes from users, and may hold anything. */
export function segment(id: string): string {
  // A path without its id names the list of all.
  if (id === '') return NOTHING
  // URLs resolve `.` and `..` away, also when they are encoded: encoded twice, they are the id of nothing.
  return /^\.{1,2}$/.test(id) ? id.replaceAll('.', '%252E') : encodeURIComponent(id)
}

/** What no service has given as an id. */
const NOTHING = 'none'

export function query(parameters: Readonly<Record<string, string>>): string {
  return `?${new URLSearchParams(parameters)}`
}
